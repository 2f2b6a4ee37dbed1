import { addsSuffixes, escapes, type TranslationStrategy } from "./translation.ts";
import { escapeUnit, unitSuffixes } from "./unit-name.ts";

/** What decides over suffixes: only monotonic sums are counters. */
export type NameKind = "counter" | "gauge" | "other";

/**
 * The Prometheus name of an OpenTelemetry metric (otlptranslator, metric_namer.go): `http.server.duration` in `s` is
 * `http_server_duration_seconds`. Undefined when nothing but underscores would be left.
 */
export function metricName(
  name: string,
  unit: string,
  kind: NameKind,
  strategy: TranslationStrategy,
): string | undefined {
  if (!escapes(strategy)) {
    const full = addsSuffixes(strategy) ? withUtf8Suffixes(name, unit, kind) : name;
    return full === "" ? undefined : full;
  }
  const full = addsSuffixes(strategy) ? withSuffixes(name, unit, kind) : withoutSuffixes(name);
  return full === "" || (full !== name && /^_*$/.test(full)) ? undefined : full;
}

function withoutSuffixes(name: string): string {
  return prefixDigit(splitWords(name, /[^a-zA-Z0-9:_]+/u).join("_"));
}

function withSuffixes(name: string, unit: string, kind: NameKind): string {
  let words = splitWords(name, /[^a-zA-Z0-9:]+/u);
  const suffixes = unitSuffixes(unit);
  let main = escapeUnit(suffixes.main);
  let per = escapeUnit(suffixes.per);
  if (words.includes(main)) main = "";
  per = per === "per_" ? "" : per.replace(/_$/, "");
  if (words.includes(per)) per = "";
  if (per !== "") main = main.replace(/_$/, "");
  words.push(...[main, per].filter((suffix) => suffix !== ""));
  // A suffix that the name has already moves to the end, so that it is there once.
  const last = lastSuffix(unit, kind);
  if (last) words = [...words.filter((word) => word !== last), last];
  return prefixDigit(words.join("_"));
}

/** Keeps the name's own characters; suffixes it has already are not added again. */
function withUtf8Suffixes(name: string, unit: string, kind: NameKind): string {
  const { main, per } = unitSuffixes(unit);
  const last = lastSuffix(unit, kind);
  let stem = name;
  if (last) stem = withoutSuffix(stem, last);
  if (per) stem = withoutSuffix(stem, per);
  if (main && !stem.endsWith(main)) stem = `${stem}_${main}`;
  if (per) stem = `${stem}_${per}`;
  return last ? `${stem}_${last}` : stem;
}

/** `ratio` only for gauges: senders use the unit 1 for counters of things, too. */
function lastSuffix(unit: string, kind: NameKind): "total" | "ratio" | undefined {
  if (kind === "counter") return "total";
  return kind === "gauge" && unit === "1" ? "ratio" : undefined;
}

/** Takes the suffix and the character before it, whatever that is. */
function withoutSuffix(name: string, suffix: string): string {
  return name.endsWith(suffix) && name.length > suffix.length + 1 ? name.slice(0, -(suffix.length + 1)) : name;
}

function splitWords(name: string, separator: RegExp): string[] {
  return name.split(separator).filter((word) => word !== "");
}

function prefixDigit(name: string): string {
  return /^[0-9]/.test(name) ? `_${name}` : name;
}
