import { InvalidInputError } from "@sightline/model/errors.ts";
import { compileRegex, type Regex } from "@sightline/model/regex.ts";

/** An expression whose named groups become labels; `names[i]` is the name of group i, "" for those without. */
export type RegexCaptures = { readonly regex: Regex; readonly names: readonly string[] };

/** Throws `InvalidInputError` in the words of Loki's NewRegexpParser. */
export function regexCaptures(source: string): RegexCaptures {
  const regex = compiled(source);
  const names = regex.groupNames();
  if (names.every((name) => name === "")) {
    throw new InvalidInputError("at least one named capture must be supplied");
  }
  return { regex, names };
}

function compiled(source: string): Regex {
  try {
    return compileRegex(source);
  } catch (error) {
    const duplicate = /duplicate capture group name: `(\w+)`/.exec(error instanceof Error ? error.message : "");
    if (!duplicate) throw error;
    throw new InvalidInputError(`duplicate extracted label name '${duplicate[1]}'`);
  }
}
