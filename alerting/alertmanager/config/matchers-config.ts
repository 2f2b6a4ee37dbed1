import { InvalidInputError } from "@sightline/model/errors.ts";
import { type LabelMatcher, labelMatcher } from "../matchers/label-matcher.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { quoted, type YamlReader, type YamlValue } from "./yaml-reader.ts";

const OLD_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export type MatcherFields = {
  /** `match`: name to value. */
  readonly equal: YamlValue;
  /** `match_re`: name to regular expression. */
  readonly regex: YamlValue;
  /** `matchers`: each text one or more. */
  readonly matchers: YamlValue;
};

/** Old and new ways to say the same, all of which must match. Throws `InvalidInputError` in Alertmanager's words. */
export function readMatchers(reader: YamlReader, syntax: MatcherSyntax, fields: MatcherFields): LabelMatcher[] {
  const named = (value: YamlValue, op: "=" | "=~", typeName: string) =>
    [...reader.fields(value, typeName)].map(([name, field]) => {
      if (!OLD_NAME.test(name)) throw new InvalidInputError(`invalid label name ${quoted(name)}`);
      if (field === undefined && op === "=~") throw new InvalidInputError(`invalid regexp value for ${quoted(name)}`);
      return labelMatcher(name, op, reader.text(field) ?? "");
    });
  return [
    ...named(fields.equal, "=", "map[string]string"),
    ...named(fields.regex, "=~", "common.plain"),
    ...(reader.texts(fields.matchers) ?? []).flatMap((text) => syntax.matchers(text)),
  ];
}
