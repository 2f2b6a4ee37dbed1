import type { LineFilter } from "@sightline/model/line-filter.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import { requiredLiterals } from "@sightline/model/required-literals.ts";

const MIN_PREFILTER = 3;
const MAX_PREFILTERS = 2;

/**
 * What DuckDB needs to apply a filter to the column `body`. DuckDB's regular expressions are RE2, like LogQL's: `.`
 * doesn't match a line end, `^` and `$` mean the ends of the text.
 */
export type LineCondition = {
  readonly kind: "contains" | "regex";
  readonly negated: boolean;
  readonly text: string;
  /** Every line that meets it has these somewhere. */
  readonly required: readonly string[];
};

export function lineCondition({ op, text }: LineFilter): LineCondition {
  const negated = op === "!=" || op === "!~";
  const contains = (part: string): LineCondition => {
    return { kind: "contains", negated, text: part, required: negated ? [] : [part] };
  };
  if (op === "|=" || op === "!=") return contains(text);
  const literals = compileRegex(text).literals;
  if (literals?.length === 1) return contains(literals[0] as string);
  return { kind: "regex", negated, text, required: negated ? [] : requiredLiterals(text) };
}

/** Found much faster than a regular expression, they leave few lines to that. The longest first. */
export function prefiltersOf({ kind, required }: LineCondition): readonly string[] {
  if (kind === "contains") return [];
  const long = required.filter(({ length }) => length >= MIN_PREFILTER);
  return long.sort((a, b) => b.length - a.length).slice(0, MAX_PREFILTERS);
}

/** The same in JavaScript. Throws `InvalidInputError` for a regular expression that is not valid. */
export function compileLineFilters(filters: readonly LineFilter[]): ((body: string) => boolean) | undefined {
  const tests = filters.map(lineCondition).map((condition): ((body: string) => boolean) => {
    const { kind, negated, text } = condition;
    if (kind === "contains") return (body) => body.includes(text) !== negated;
    const regex = compileRegex(text);
    const [prefilter] = prefiltersOf(condition);
    if (prefilter !== undefined) return (body) => body.includes(prefilter) && regex.matchesSomewhere(body);
    return (body) => regex.matchesSomewhere(body) !== negated;
  });
  if (tests.length === 0) return undefined;
  return (body) => tests.every((test) => test(body));
}
