import type { LabelMap } from "../../alert.ts";
import { parseDateTime } from "./date-time.ts";
import { jsonKind, RequestProblem } from "./request-problem.ts";

/** A value of a request's body, as Go's decoder names it: `alerts`, `Alert.labels`. */
export type ValueName = { readonly what: string; readonly field: string };

/** undefined for none, and for null. Throws {@link RequestProblem}. */
export function readText(value: unknown, name: ValueName): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw wrongType(value, name, "string");
}

/** In milliseconds; undefined for none, and for Go's zero time. Throws {@link RequestProblem}. */
export function readTime(value: unknown, name: ValueName): number | undefined {
  const text = readText(value, name);
  const timeMs = parseDateTime(text);
  if (timeMs !== null) return timeMs;
  const quoted = JSON.stringify(text);
  throw RequestProblem.unreadable(
    name.what,
    `parsing time ${quoted} as "2006-01-02": cannot parse ${quoted} as "2006"`,
  );
}

/** A value that is null is empty. Throws {@link RequestProblem}. */
export function readLabels(value: unknown, name: ValueName): LabelMap {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw wrongType(value, name, "models.LabelSet");
  const labels: Record<string, string> = Object.create(null);
  for (const [label, text] of Object.entries(value)) labels[label] = readText(text, name) ?? "";
  return labels;
}

export function wrongType(value: unknown, { what, field }: ValueName, type: string): RequestProblem {
  const why = `json: cannot unmarshal ${jsonKind(value)} into Go struct field ${field} of type ${type}`;
  return RequestProblem.unreadable(what, why);
}
