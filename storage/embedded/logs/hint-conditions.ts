import type { DuckDBValue } from "@duckdb/node-api";
import type { LineHint } from "@sightline/model/log-store.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";
import { SegmentLabel } from "./segment-label.ts";

/** An alternative to all that is behind it, which hints have because of what may be escaped. */
const BACKSLASH_OR = "\\\\|";

/** Conditions of SQL for the rows of these streams that hints do not rule out. Adds what they compare with to `values`. */
export function hintConditions(
  hints: readonly LineHint[],
  index: LogSegmentIndex,
  streams: readonly number[],
  values: DuckDBValue[],
): readonly string[] {
  return hints.flatMap(({ label: name, text }) => {
    const label = new SegmentLabel(name, index);
    if (label.isOpaque || label.nested.length > 0 || label.mayBeInTail) return [];
    // Where streams have the label, records need not have it in their body.
    if (streams.some((stream) => label.ofStream(stream).value !== "" || label.ofStream(stream).kind === "unknown")) {
      return [];
    }
    const own = label.texts.map((column) => `coalesce(${column}, '') <> ''`);
    return `(${[...own, ...bodyConditions(text.toWellFormed(), values)].join(" OR ")})`;
  });
}

/** One or the other. An expression that begins with a literal is looked for in a third of the time of one with an alternative to it. */
function bodyConditions(text: string, values: DuckDBValue[]): readonly string[] {
  const has = (expression: string) => `regexp_matches(body, $${values.push(expression)})`;
  if (!text.startsWith(BACKSLASH_OR)) return [has(text)];
  return ["contains(body, '\\')", has(text.slice(BACKSLASH_OR.length))];
}
