import type { CheckedExpression, RuleExpression } from "@sightline/model/rules.ts";
import { queryConfig } from "@sightline/query/config.ts";
import { checkExpression } from "../alerting/check-expression.ts";

/** Checks expressions where no server runs. */
export class ExpressionChecker {
  readonly #maxQueryBytes = queryConfig.parse({}).logs.max_query_bytes;

  check(expression: RuleExpression): CheckedExpression {
    return checkExpression(expression, this.#maxQueryBytes);
  }
}
