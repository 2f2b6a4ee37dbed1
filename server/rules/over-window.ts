import { InvalidInputError } from "@sightline/model/errors.ts";
import type { RuleExpression } from "@sightline/model/rules.ts";
import type { Expr, VectorSelector } from "@sightline/query/promql/ast.ts";
import { childExprs } from "@sightline/query/promql/child-exprs.ts";
import { parsePromql } from "@sightline/query/promql/parse/parse-promql.ts";

const PLACEHOLDER = /\{\{\s*\.window\s*\}\}/g;

/**
 * The query over the last `window`: that is put where the query says `{{.window}}`; otherwise each selector of a PromQL
 * query becomes the rate of a counter over it, or the sum of its samples. Throws {@link InvalidInputError} for what says
 * nothing of windows, or has one of its own.
 */
export function overWindow({ text, language }: RuleExpression, window: string, isCounter: boolean): string {
  const filled = text.replace(PLACEHOLDER, window);
  if (filled !== text) return filled;
  if (language !== "promql") throw new InvalidInputError(`write the range in ${text} as [{{.window}}]`);
  const func = isCounter ? "rate" : "sum_over_time";
  let [made, from] = ["", 0];
  for (const { range } of selectorsOf(parsePromql(text), text)) {
    made += `${text.slice(from, range.start)}${func}(${text.slice(range.start, range.end)}[${window}])`;
    from = range.end;
  }
  return made + text.slice(from);
}

/** In the order of the text. */
function selectorsOf(expr: Expr, text: string): readonly VectorSelector[] {
  switch (expr.kind) {
    case "vector":
      if (expr.offset !== 0 || expr.at !== undefined) throw new InvalidInputError(`${text}: no offset and no @ here`);
      return [expr];
    case "matrix":
    case "subquery":
      throw new InvalidInputError(`${text}: write the range as [{{.window}}]`);
    default:
      return childExprs(expr).flatMap((child) => selectorsOf(child, text));
  }
}
