import { InvalidInputError } from "@sightline/model/errors.ts";
import { compileMatcher, type Matcher } from "@sightline/model/matcher.ts";
import { parseSelectors } from "../promql/parse/parse-promql.ts";

/**
 * The values of `match[]`. Throws `ParseError`, and `InvalidInputError` for one that would match everything: nobody
 * means that, and it costs most.
 */
export function parseMatcherSets(selectors: readonly string[]): Matcher[][] {
  const sets = parseSelectors([...new Set(selectors)]);
  for (const matchers of sets) {
    if (matchers.every((matcher) => compileMatcher(matcher)(""))) {
      throw new InvalidInputError("match[] must contain at least one non-empty matcher");
    }
  }
  return sets;
}
