import type { LineFilter } from "@sightline/model/ports.ts";
import { compileRegex } from "@sightline/model/regex.ts";

/**
 * What DuckDB needs to apply a filter to the column `body`. DuckDB's regular expressions are RE2, like LogQL's: `.`
 * doesn't match a line end, `^` and `$` mean the ends of the text.
 */
export type LineCondition = { readonly kind: "contains" | "regex"; readonly negated: boolean; readonly text: string };

export function lineCondition({ op, text }: LineFilter): LineCondition {
  const negated = op === "!=" || op === "!~";
  if (op === "|=" || op === "!=") return { kind: "contains", negated, text };
  const literals = compileRegex(text).literals;
  if (literals?.length === 1) return { kind: "contains", negated, text: literals[0] as string };
  return { kind: "regex", negated, text };
}

/** The same in JavaScript. Throws `InvalidInputError` for a regular expression that is not valid. */
export function compileLineFilters(filters: readonly LineFilter[]): ((body: string) => boolean) | undefined {
  const tests = filters.map(lineCondition).map(({ kind, negated, text }): ((body: string) => boolean) => {
    if (kind === "contains") return (body) => body.includes(text) !== negated;
    const regex = compileRegex(text);
    return (body) => regex.matchesSomewhere(body) !== negated;
  });
  if (tests.length === 0) return undefined;
  return (body) => tests.every((test) => test(body));
}
