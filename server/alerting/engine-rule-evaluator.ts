import { InvalidInputError } from "@sightline/model/errors.ts";
import type {
  CheckedExpression,
  LabelRequest,
  LastSample,
  Queryable,
  RuleEvaluator,
  RuleExpression,
  RuleSample,
  SeriesSlice,
} from "@sightline/model/ports.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { formatLogql } from "@sightline/query/logql/format/format-logql.ts";
import type { LogqlEngine } from "@sightline/query/logql/logql-engine.ts";
import { parseLogql } from "@sightline/query/logql/parse/parse-logql.ts";
import type { LogqlValue } from "@sightline/query/logql/result.ts";
import type { Expr } from "@sightline/query/promql/ast.ts";
import { childExprs } from "@sightline/query/promql/child-exprs.ts";
import type { PromEngine } from "@sightline/query/promql/engine.ts";
import { formatExpr } from "@sightline/query/promql/format/format-expr.ts";
import { parsePromql } from "@sightline/query/promql/parse/parse-promql.ts";
import type { PromValue } from "@sightline/query/promql/result.ts";

export type EngineRuleEvaluatorOptions = {
  readonly prom: Pick<PromEngine, "instant">;
  /** Absent: there are no logs to ask. */
  readonly logql?: Pick<LogqlEngine, "instant"> | undefined;
  readonly metrics: Pick<Queryable, "select">;
  /** Characters of one expression. */
  readonly maxQueryBytes: number;
};

/** What rules ask, answered by the engines that answer everybody. */
export class EngineRuleEvaluator implements RuleEvaluator {
  readonly #options: EngineRuleEvaluatorOptions;

  constructor(options: EngineRuleEvaluatorOptions) {
    this.#options = options;
  }

  check({ text, language }: RuleExpression): CheckedExpression {
    if (language === "promql") {
      const expr = parsePromql(text);
      return { text: formatExpr(expr), language, namesMetrics: namesMetrics(expr) };
    }
    const expr = parseLogql(text, this.#options.maxQueryBytes);
    if (expr.kind === "log")
      throw new InvalidInputError("log queries give lines; rules need samples: count_over_time(…)");
    return { text: formatLogql(expr), language, namesMetrics: false };
  }

  async evaluate(
    { text, language, tenant, timeMs }: RuleExpression & { readonly tenant: TenantId; readonly timeMs: number },
    signal: AbortSignal,
  ): Promise<readonly RuleSample[]> {
    const { prom, logql } = this.#options;
    if (language === "promql") return samplesOf((await prom.instant(text, { tenant, timeMs, signal })).value);
    if (!logql) throw new InvalidInputError("LogQL rules can't be evaluated here: there are no logs");
    const timeNs = BigInt(Math.round(timeMs)) * 1_000_000n;
    const query = { tenant, timeNs, limit: 1, newestFirst: true, signal };
    return samplesOf((await logql.instant(text, query)).value);
  }

  async lastSamples(request: LabelRequest, signal: AbortSignal): Promise<readonly LastSample[]> {
    const samples: LastSample[] = [];
    for await (const group of this.#options.metrics.select(request, signal)) {
      for (const slice of group) samples.push(...lastOf(slice));
    }
    return samples;
  }
}

function samplesOf(value: PromValue | LogqlValue): readonly RuleSample[] {
  if (value.type === "vector") return value.samples;
  if (value.type === "scalar") return [{ labels: [], value: value.value }];
  throw new InvalidInputError("rule result is not a vector or scalar");
}

function lastOf({ labels, timesMs, values }: SeriesSlice): LastSample[] {
  const last = timesMs.length - 1;
  if (last < 0) return [];
  const value = values[last] as number;
  return [
    {
      labels,
      timeMs: timesMs[last] as number,
      value,
      isStale: Number.isNaN(value) && isStaleAt(wordsOf(values), last),
    },
  ];
}

/** No selector leaves the metric's name open. */
function namesMetrics(expr: Expr): boolean {
  const selector = expr.kind === "matrix" ? expr.vector : expr.kind === "vector" ? expr : undefined;
  if (!selector) return childExprs(expr).every(namesMetrics);
  return selector.matchers.some(({ name }) => name === "__name__");
}
