import { type Labels, labelValue } from "./labels.ts";
import { compileRegex } from "./regex.ts";

export type MatchOperator = "=" | "!=" | "=~" | "!~";
/** A label matcher. Regular expressions are RE2 and match the whole value. A missing label has the value "". */
export type Matcher = { readonly name: string; readonly op: MatchOperator; readonly value: string };

/** Throws {@link InvalidInputError} when the regular expression is not valid RE2. */
export function compileMatcher(matcher: Matcher): (value: string) => boolean {
  const { op, value: wanted } = matcher;
  if (op === "=") return (value) => value === wanted;
  if (op === "!=") return (value) => value !== wanted;
  const regex = compileRegex(wanted);
  return op === "=~" ? (value) => regex.matchesWhole(value) : (value) => !regex.matchesWhole(value);
}

/** Throws {@link InvalidInputError} when a regular expression is not valid RE2. */
export function checkMatchers(matchers: readonly Matcher[]): void {
  for (const { op, value } of matchers) if (op === "=~" || op === "!~") compileRegex(value);
}

export function compileMatchers(matchers: readonly Matcher[]): (labels: Labels) => boolean {
  const compiled = matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
  return (labels) => compiled.every(({ name, test }) => test(labelValue(labels, name)));
}

export function formatMatchers(matchers: readonly Matcher[]): string {
  return `{${matchers.map(({ name, op, value }) => `${name}${op}${JSON.stringify(value)}`).join(",")}}`;
}
