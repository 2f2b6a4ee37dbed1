import { parseRuleFile } from "@sightline/alerting/rules/parse-rule-file.ts";
import { readOpenSlo } from "@sightline/alerting/slo/open-slo.ts";
import { sloRules } from "@sightline/alerting/slo/slo-rules.ts";
import { stringify } from "yaml";
import { ExpressionChecker } from "./expression-checker.ts";
import { overWindow } from "./over-window.ts";

/**
 * A rule file that watches what the OpenSLO definitions in `text` promise. `warn` is told of conditions that can't come
 * true. Throws `InvalidInputError` for what is wrong with a definition or its queries.
 */
export function generateSloRules(text: string, warn: (problem: string) => void): string {
  const groups = readOpenSlo(text).flatMap((slo) => sloRules(slo, { overWindow, warn }));
  const file = stringify({ groups }, { lineWidth: 0, aliasDuplicateObjects: false });
  const checker = new ExpressionChecker();
  parseRuleFile(file, { check: (expression) => checker.check(expression) });
  return file;
}
