const LEGACY_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const LEGACY_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** A name that needs no quotes. */
export function isLegacyLabel(name: string): boolean {
  return LEGACY_LABEL.test(name);
}
export function isLegacyMetric(name: string): boolean {
  return LEGACY_METRIC.test(name);
}

/** `http.server.duration` as OTLP receivers write it where only letters, digits and underscores may be (otlptranslator). */
export function escapeMetricName(name: string): string {
  const words = name.split(/[^a-zA-Z0-9:]+/u).filter((word) => word !== "");
  const joined = words.join("_");
  return /^[0-9]/.test(joined) ? `_${joined}` : joined;
}

/** The same for labels: one underscore for each other character, `key_` before a digit. */
export function escapeLabelName(name: string): string {
  const escaped = name.replace(/[^a-zA-Z0-9]/gu, "_");
  if (/^[0-9]/.test(escaped)) return `key_${escaped}`;
  return /^_(?!_)/.test(escaped) ? `key${escaped}` : escaped;
}
