import { attributeValue } from "@sightline/model/attributes.ts";
import { compileMatcher, type Matcher } from "@sightline/model/matcher.ts";
import { attributeToken } from "../rows/attribute-text.ts";
import type { RowFilter } from "../rows/row-codec.ts";
import type { Span } from "./span-codec.ts";

export const ALL_SPANS: RowFilter<Span> = { must: [], mustNot: [], matches: () => true };

export function spansOfTrace(traceId: string): RowFilter<Span> {
  return { must: [{ term: { trace_id: traceId } }], mustNot: [], matches: (span) => span.traceId === traceId };
}

/**
 * By attributes of the span or, where it lacks them, of its resource. Throws `InvalidInputError` for a regular expression
 * that is none.
 */
export function spansWith(attributes: readonly Matcher[]): RowFilter<Span> {
  const must = attributes
    .filter(({ op, value }) => op === "=" && value !== "")
    .map(({ name, value }) => ({ term: { fields: attributeToken(name, value) } }));
  const tests = attributes.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
  return {
    must,
    mustNot: [],
    matches: (span) =>
      tests.every(({ name, test }) => {
        const own = span.attributes.find((attribute) => attribute.name === name);
        return test(own?.value ?? attributeValue(span.source.resource, name));
      }),
  };
}
