/** UCUM units as OpenTelemetry writes them, and the base units of Prometheus' naming practices. */
const UNITS = new Map([
  ["d", "days"],
  ["h", "hours"],
  ["min", "minutes"],
  ["s", "seconds"],
  ["ms", "milliseconds"],
  ["us", "microseconds"],
  ["ns", "nanoseconds"],
  ["By", "bytes"],
  ["KiBy", "kibibytes"],
  ["MiBy", "mebibytes"],
  ["GiBy", "gibibytes"],
  ["TiBy", "tibibytes"],
  ["KBy", "kilobytes"],
  ["MBy", "megabytes"],
  ["GBy", "gigabytes"],
  ["TBy", "terabytes"],
  ["m", "meters"],
  ["V", "volts"],
  ["A", "amperes"],
  ["J", "joules"],
  ["W", "watts"],
  ["g", "grams"],
  ["Cel", "celsius"],
  ["Hz", "hertz"],
  ["1", ""],
  ["%", "percent"],
]);

/** What stands behind a `/`. */
const PER_UNITS = new Map([
  ["s", "second"],
  ["m", "minute"],
  ["h", "hour"],
  ["d", "day"],
  ["w", "week"],
  ["mo", "month"],
  ["y", "year"],
]);

export type UnitSuffixes = { readonly main: string; readonly per: string };

/** `By/s` is `bytes` and `per_second`; annotations such as `{request}` are nothing (otlptranslator, unit_namer.go). */
export function unitSuffixes(unit: string): UnitSuffixes {
  const slash = unit.indexOf("/");
  const main = translated(slash < 0 ? unit : unit.slice(0, slash), UNITS);
  const per = slash < 0 ? "" : translated(unit.slice(slash + 1), PER_UNITS);
  return { main, per: per === "" ? "" : `per_${per}` };
}

function translated(part: string, names: ReadonlyMap<string, string>): string {
  const unit = part.trim();
  return /[{}]/.test(unit) ? "" : (names.get(unit) ?? unit);
}

/** A suffix in the characters of a classic metric name. */
export function escapeUnit(suffix: string): string {
  return suffix
    .replace(/[^a-zA-Z0-9:]/gu, "_")
    .replace(/_+/g, "_")
    .replace(/^_/, "");
}

/** The unit in metadata: `bytes_per_second`. */
export function unitName(unit: string): string {
  const { main, per } = unitSuffixes(unit);
  return [escapeUnit(main), escapeUnit(per)]
    .filter((part) => part !== "")
    .join("_")
    .replace(/^_|_$/g, "");
}
