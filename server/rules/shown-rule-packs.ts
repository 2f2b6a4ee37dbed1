import { type RulePack, rulePackNames, rulePacks } from "@sightline/alerting/packs/rule-packs.ts";
import { parseRuleFile } from "@sightline/alerting/rules/parse-rule-file.ts";
import { ExpressionChecker } from "./expression-checker.ts";

/** The files of these packs; of none: a line for each pack there is. Throws `InvalidInputError` for a name that is none. */
export function shownRulePacks(names: readonly string[]): string {
  if (names.length > 0)
    return rulePacks(names)
      .map(({ text }) => text)
      .join("\n");
  const all = rulePacks(rulePackNames());
  const width = Math.max(...all.map(({ name }) => name.length));
  return all.map((pack) => `${pack.name.padEnd(width)}  ${rulesIn(pack)} rules  ${pack.about}\n`).join("");
}

function rulesIn({ text }: RulePack): string {
  const checker = new ExpressionChecker();
  const groups = parseRuleFile(text, { check: (expression) => checker.check(expression) });
  return String(groups.flatMap(({ rules }) => rules).length).padStart(2);
}
