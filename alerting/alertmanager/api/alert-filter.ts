import { InvalidInputError } from "@sightline/model/errors.ts";
import type { LabelMap } from "../../alert.ts";
import { type LabelMatcher, labelMatcher } from "../matchers/label-matcher.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";

/** Parameters of a query, in the order they came. */
export type QueryParameters = URLSearchParams;

export function readMatchers(parameters: QueryParameters, name: string, syntax: MatcherSyntax): LabelMatcher[] {
  try {
    return parameters.getAll(name).map((text) => syntax.matcher(text));
  } catch (cause) {
    if (!(cause instanceof InvalidInputError) || name === "filter") throw cause;
    throw new InvalidInputError(`failed to parse ${name} param: ${cause.message}`, { cause });
  }
}

/** Undefined: all receivers. */
export function readReceiver(parameters: QueryParameters): ((receiver: string) => boolean) | undefined {
  const text = parameters.get("receiver");
  if (text === null || text === "") return undefined;
  try {
    const { matches } = labelMatcher("receiver", "=~", text);
    return matches;
  } catch (cause) {
    throw new InvalidInputError(`failed to parse receiver param: ${(cause as Error).message}`, { cause });
  }
}

/** What go-openapi takes for true and false. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(
    ["true", "t", "1", "yes", "y", "on", "ok", "enabled", "checked", "selected"].map((text) => [text, true]),
  ),
  ...Object.fromEntries(["false", "f", "0", "no", "n", "off", ""].map((text) => [text, false])),
};

export function readFlag(parameters: QueryParameters, name: string): boolean {
  const text = parameters.get(name);
  return text === null || text === "" ? true : (BOOLEANS[text.toLowerCase()] ?? false);
}

/** As api/v2 compares filters with labels: where a matcher asks for no value, one that is missing is as good. */
export function matchesFilter(matchers: readonly LabelMatcher[], labels: LabelMap): boolean {
  return matchers.every(({ name, op, value, matches }) => {
    const label = labels[name];
    const isNegative = op === "!=" || op === "!~";
    if (value === "" && (label !== undefined) === isNegative) return true;
    return matches(label ?? "");
  });
}
