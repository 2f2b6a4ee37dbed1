/** The thread of `rule-file-reader.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { parseRuleFile, RuleFileError } from "@sightline/alerting/rules/parse-rule-file.ts";
import type { GroupConfig } from "@sightline/alerting/rules/rule-config.ts";
import { checkExpression } from "./check-expression.ts";
import type { RuleFileAnswer, RuleFileRequest } from "./rule-file-reader.ts";

/** Of one message, which the other thread takes in at once. */
const MAX_RULES = 200;

const { text, language, maxQueryBytes } = workerData as RuleFileRequest;
const answer = (message: RuleFileAnswer) => parentPort?.postMessage(message);
try {
  const groups = parseRuleFile(text, { check: (expression) => checkExpression(expression, maxQueryBytes), language });
  let part: GroupConfig[] = [];
  let rules = 0;
  for (const group of groups) {
    part.push(group);
    rules += 1 + group.rules.length;
    if (rules < MAX_RULES) continue;
    answer({ groups: part });
    part = [];
    rules = 0;
  }
  answer({ groups: part });
  answer({ done: true });
} catch (error) {
  if (!(error instanceof RuleFileError)) throw error;
  answer({ problems: error.problems });
}
