import { InvalidInputError } from "@sightline/model/errors.ts";
import { compileMatcher, type Matcher } from "@sightline/model/matcher.ts";
import { parseSelectors } from "../promql/parse/parse-promql.ts";
import { ParsedTexts } from "../promql/parse/parsed-texts.ts";

/** Of requests with one selector: those of several share a limit. */
const alone = new ParsedTexts((selector) => checkedSets([selector]));

/**
 * The values of `match[]`. Throws `ParseError`, and `InvalidInputError` for one that would match everything: nobody
 * means that, and it costs most.
 */
export function parseMatcherSets(selectors: readonly string[]): readonly (readonly Matcher[])[] {
  if (selectors.length === 0) return [];
  return selectors.length === 1 ? alone.parse(selectors[0] as string) : checkedSets([...new Set(selectors)]);
}

function checkedSets(selectors: readonly string[]): readonly (readonly Matcher[])[] {
  const sets = parseSelectors(selectors);
  for (const matchers of sets) {
    if (matchers.every((matcher) => compileMatcher(matcher)(""))) {
      throw new InvalidInputError("match[] must contain at least one non-empty matcher");
    }
  }
  return sets;
}
