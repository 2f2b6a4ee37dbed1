import { InvalidInputError } from "@sightline/model/errors.ts";
import type { LabelMatcher } from "../matchers/label-matcher.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { readMatchers } from "./matchers-config.ts";
import { quoted, type YamlReader, type YamlValue } from "./yaml-reader.ts";

/** Alerts of the target are held back while one of the source fires that is equal in `equal`. */
export type InhibitRuleConfig = {
  readonly name: string;
  readonly sourceMatchers: readonly LabelMatcher[];
  readonly targetMatchers: readonly LabelMatcher[];
  readonly equal: readonly string[];
};

const FIELDS = new Set(
  ["name", "equal"].concat(
    ["source", "target"].flatMap((side) => [`${side}_match`, `${side}_match_re`, `${side}_matchers`]),
  ),
);

/** Throws `InvalidInputError` in Alertmanager's words. */
export function readInhibitRule(reader: YamlReader, syntax: MatcherSyntax, value: YamlValue): InhibitRuleConfig {
  const fields = reader.fields(value, "common.plain", FIELDS);
  const matchers = (side: "source" | "target") =>
    readMatchers(reader, syntax, {
      equal: fields.get(`${side}_match`),
      regex: fields.get(`${side}_match_re`),
      matchers: fields.get(`${side}_matchers`),
    });
  const equal = reader.texts(fields.get("equal")) ?? [];
  for (const name of equal) {
    if (!syntax.isLabelName(name)) throw new InvalidInputError(`invalid label name ${quoted(name)} in equal list`);
  }
  return {
    name: reader.text(fields.get("name")) ?? "",
    sourceMatchers: matchers("source"),
    targetMatchers: matchers("target"),
    equal: [...new Set(equal)],
  };
}
