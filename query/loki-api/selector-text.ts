import type { Matcher } from "@sightline/model/matcher.ts";

/** A stream selector in LogQL. Of no matchers: every stream, as every stream has a service's name. */
export function selectorText(matchers: readonly Matcher[]): string {
  if (matchers.length === 0) return '{service_name=~".+"}';
  return `{${matchers.map(({ name, op, value }) => `${name}${op}${JSON.stringify(value)}`).join(", ")}}`;
}
