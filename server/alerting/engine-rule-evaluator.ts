import { InvalidInputError } from "@sightline/model/errors.ts";
import type { LabelRequest, Queryable, SeriesSlice } from "@sightline/model/metric-store.ts";
import type {
  CheckedExpression,
  LastSample,
  RuleEvaluator,
  RuleExpression,
  RuleSample,
} from "@sightline/model/rules.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { LogqlEngine } from "@sightline/query/logql/logql-engine.ts";
import type { LogqlValue } from "@sightline/query/logql/result.ts";
import type { PromEngine } from "@sightline/query/promql/engine.ts";
import { formatHistogram } from "@sightline/query/promql/histogram/format-histogram.ts";
import type { PromValue } from "@sightline/query/promql/result.ts";
import { checkExpression } from "./check-expression.ts";

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

  check(expression: RuleExpression): CheckedExpression {
    return checkExpression(expression, this.#options.maxQueryBytes);
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
  if (value.type === "vector") return value.samples.map(withHistogramText);
  if (value.type === "scalar") return [{ labels: [], value: value.value }];
  throw new InvalidInputError("rule result is not a vector or scalar");
}

/** Few rules have histograms, and only templates want them as texts. */
function withHistogramText(sample: RuleSample): RuleSample {
  const { histogram } = sample;
  if (!histogram) return sample;
  return {
    ...sample,
    get histogramText() {
      return formatHistogram(histogram);
    },
  };
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
