import { InvalidInputError } from "@sightline/model/errors.ts";
import { type Labels, labelsKey, labelValue } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { LogStore } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { quote } from "../../promql/format/quote.ts";
import type { Grouping, RangeAggregationExpr } from "../ast.ts";
import { ERROR, PRESERVE_ERROR } from "../pipeline/label-builder.ts";
import { StructuredMetadata } from "../structured-metadata.ts";
import { type ScanCounts, scanRows } from "./log-scan.ts";
import type { QueryBudget } from "./query-budget.ts";
import { type RangeAccumulator, rangeAccumulator, Windows } from "./range-accumulator.ts";
import { SampleExtractor } from "./sample-extractor.ts";
import type { StepGrid } from "./step-grid.ts";
import { emptySeries, type StepSeries } from "./step-series.ts";

/** What every part of a query's evaluation needs. */
export type EvaluationContext = {
  readonly store: Pick<LogStore, "select">;
  readonly tenant: TenantId;
  readonly grid: StepGrid;
  readonly budget: QueryBudget;
  readonly counts: ScanCounts;
  readonly signal: AbortSignal;
};

/** The value of the aggregation at every step. `outer` is the grouping of a sum around it, done at once. */
export async function evaluateRange(
  expr: RangeAggregationExpr,
  outer: Grouping | undefined,
  context: EvaluationContext,
): Promise<StepSeries[]> {
  const { budget, grid } = context;
  const templates = { maxOutputCharacters: budget.limits.max_template_chars };
  const extractor = new SampleExtractor(expr, outer, templates);
  const collector = new SampleCollector(expr, extractor, context);
  await collector.run();
  const series = await collector.finish();
  return expr.op === "absent_over_time" ? absentSeries(expr, series, grid.count) : series;
}

/** Reads the lines of the aggregation's range and gives their samples to an accumulator, by series. */
class SampleCollector {
  readonly #expr: RangeAggregationExpr;
  readonly #extractor: SampleExtractor;
  readonly #context: EvaluationContext;
  readonly #accumulator: RangeAccumulator;
  readonly #metadata: StructuredMetadata;
  readonly #times: RelativeTimes;
  readonly #windows: Windows;
  readonly #labels: Labels[] = [];
  readonly #numbers = new Map<string, number>();
  /** Numbers of the series of lines whose labels are those of their stream, by these. */
  readonly #plain = new Map<Labels, number>();
  /** The first step with a failed line, and its labels. */
  #failedStep = Number.POSITIVE_INFINITY;
  #failedLabels: Labels = [];

  constructor(expr: RangeAggregationExpr, extractor: SampleExtractor, context: EvaluationContext) {
    this.#expr = expr;
    this.#extractor = extractor;
    this.#context = context;
    this.#accumulator = rangeAccumulator(expr, context.grid, context.budget);
    this.#metadata = new StructuredMetadata(extractor.wantedMetadata);
    const { offsetNs, intervalNs } = expr.logRange;
    this.#times = new RelativeTimes(context.grid.startNs - BigInt(offsetNs));
    this.#windows = new Windows(context.grid, intervalNs);
  }

  async run(): Promise<void> {
    const { store, tenant, grid, signal, budget, counts } = this.#context;
    const { log, intervalNs, offsetNs } = this.#expr.logRange;
    const firstNs = grid.startNs - BigInt(offsetNs);
    const lastNs = firstNs + grid.stepNs * BigInt(grid.count - 1);
    const { pipeline } = this.#extractor;
    const request = {
      tenant,
      range: { startNs: firstNs - BigInt(intervalNs) + 1n, endNs: lastNs + 1n },
      matchers: log.matchers,
      line: pipeline.pushed,
      fields: pipeline.fields,
      newestFirst: false,
      limit: Number.MAX_SAFE_INTEGER,
    };
    await scanRows({ store, request, signal, budget, counts }, (batch, row, isExact) => {
      this.#take(batch, row, isExact ? pipeline.stagesAfterStore : pipeline.stages);
      return true;
    });
  }

  async finish(): Promise<StepSeries[]> {
    if (this.#failedStep !== Number.POSITIVE_INFINITY) throw pipelineError(this.#failedLabels);
    return this.#accumulator.finish(this.#labels);
  }

  #take(batch: LogBatch, row: number, stages: SampleExtractor["pipeline"]["stages"]): void {
    const timeNs = this.#times.of(batch.timesNs, row);
    const first = this.#windows.first(timeNs);
    if (first >= this.#windows.end(timeNs)) return;
    const stream = batch.streams[batch.streamRefs[row] as number] as LogStream;
    const extractor = this.#extractor;
    extractor.row.line = batch.bodies[row] as string;
    extractor.row.timeNs = batch.timesNs[row] as bigint;
    const { labels } = extractor.row;
    labels.reset(stream.labels, this.#metadata.of(batch, row));
    if (!extractor.extract(stages)) return;
    this.#context.counts.linesMatched++;
    const plain = labels.isPlain ? this.#plain.get(stream.labels) : undefined;
    const series = plain ?? this.#seriesOf(stream.labels);
    if (labels.error !== "" && first < this.#failedStep) this.#noteFailure(first, series);
    this.#accumulator.add(series, timeNs, extractor.value);
  }

  #seriesOf(stream: Labels): number {
    const labels = this.#extractor.labels();
    const key = labelsKey(labels);
    let series = this.#numbers.get(key);
    if (series === undefined) {
      series = this.#labels.length;
      this.#labels.push(labels);
      this.#numbers.set(key, series);
      this.#context.budget.hold(labels.length + 1);
    }
    if (this.#extractor.row.labels.isPlain) this.#plain.set(stream, series);
    return series;
  }

  /** An error fails the query, unless it was asked for. */
  #noteFailure(step: number, series: number): void {
    const labels = this.#labels[series] as Labels;
    if (labelValue(labels, PRESERVE_ERROR) === "true") return;
    this.#failedStep = step;
    this.#failedLabels = labels;
  }
}

/** Loki's words (logqlmodel.PipelineError). */
function pipelineError(labels: Labels): InvalidInputError {
  const type = labelValue(labels, ERROR);
  const series = `{${labels.map(([name, value]) => `${name}=${quote(value)}`).join(", ")}}`;
  return new InvalidInputError(
    `pipeline error: '${type}' for series: '${series}'.\n` +
      `Use a label filter to intentionally skip this error. (e.g | __error__!="${type}").\n` +
      `To skip all potential errors you can match empty errors.(e.g __error__="")\n` +
      `The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__="" )\n`,
  );
}

/** 1 at the steps where there is nothing, with the labels that the selector fixes. */
function absentSeries({ logRange }: RangeAggregationExpr, found: readonly StepSeries[], steps: number): StepSeries[] {
  const { matchers } = logRange.log;
  const fixed = new Map<string, string>();
  const vague = new Set<string>();
  for (const { name, op, value } of matchers) {
    if (name === "__name__") continue;
    if (op === "=" && !fixed.has(name)) fixed.set(name, value);
    else vague.add(name);
  }
  const labels = [...fixed]
    .filter(([name, value]) => !vague.has(name) && value !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const absent = emptySeries(labels, steps);
  for (let step = 0; step < steps; step++) {
    if (found.some(({ present }) => present[step] === 1)) continue;
    absent.values[step] = 1;
    absent.present[step] = 1;
  }
  return [absent];
}

/** Times as numbers of ns from an origin: exact within 104 days of it, which a bigint per record would be slow for. */
class RelativeTimes {
  readonly #high: number;
  readonly #low: number;
  #array: BigInt64Array | undefined;
  #words: Int32Array = new Int32Array(0);
  readonly #bits = new BigInt64Array(1);

  constructor(originNs: bigint) {
    this.#bits[0] = originNs;
    const words = new Int32Array(this.#bits.buffer);
    this.#low = (words[0] as number) >>> 0;
    this.#high = words[1] as number;
  }

  of(timesNs: BigInt64Array, row: number): number {
    if (timesNs !== this.#array) {
      this.#array = timesNs;
      this.#words = new Int32Array(timesNs.buffer, timesNs.byteOffset, timesNs.length * 2);
    }
    const low = (this.#words[2 * row] as number) >>> 0;
    return ((this.#words[2 * row + 1] as number) - this.#high) * 4_294_967_296 + (low - this.#low);
  }
}
