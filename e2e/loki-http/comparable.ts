import type { Answer } from "../harness/http-call.ts";

/** An answer as a text that is the same for all that say the same: without measurements, lists without an order sorted. */
export function comparable({ status, headers, text }: Answer): string {
  const type = String(headers["content-type"] ?? "")
    .replaceAll(" ", "")
    .toLowerCase();
  const body = type.startsWith("application/json") ? JSON.stringify(canonical(parsed(text))) : text.trim();
  return `${status} ${text === "" ? "" : type} ${body}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What each server chooses, or takes from its clock. */
const OWN: ReadonlySet<string> = new Set(["stats", "statistics", "request_id", "created_at"]);
/** Of these the order is open; without a name a list of deletions, of which some are of the same millisecond. */
const UNORDERED: ReadonlySet<string> = new Set([
  "",
  "result",
  "data",
  "detectedLabels",
  "fields",
  "values",
  "parsers",
  "encodingFlags",
]);

function canonical(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item, "item"));
    return UNORDERED.has(key) ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([name]) => !OWN.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, canonical(inner, name)]));
}
