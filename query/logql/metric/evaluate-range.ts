import { InvalidInputError } from "@sightline/model/errors.ts";
import { quote } from "@sightline/model/go-quote.ts";
import { type Labels, labelsKey, labelValue } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { FieldFilter, LogCountGroup } from "@sightline/model/log-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { Grouping, RangeAggregationExpr } from "../ast.ts";
import { levelOfLabels } from "../detected-level.ts";
import type { LogReader } from "../log-reader.ts";
import { ERROR, PRESERVE_ERROR } from "../pipeline/label-builder.ts";
import { StructuredMetadata } from "../structured-metadata.ts";
import { CountBuckets } from "./count-buckets.ts";
import { type CountedGroups, countGroups } from "./count-groups.ts";
import { type CountPlan, planCount } from "./count-plan.ts";
import { type ScanCounts, scanRows } from "./log-scan.ts";
import type { QueryBudget } from "./query-budget.ts";
import { type RangeAccumulator, rangeAccumulator, Windows } from "./range-accumulator.ts";
import { SampleExtractor } from "./sample-extractor.ts";
import type { StepGrid } from "./step-grid.ts";
import { emptySeries, type StepSeries } from "./step-series.ts";

/** What every part of a query's evaluation needs. */
export type EvaluationContext = {
  readonly store: LogReader;
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
  const plan = planCount(expr, outer, extractor.pipeline);
  if (!plan || !(await collector.count(plan))) await collector.read();
  const series = await collector.finish();
  return expr.op === "absent_over_time" ? absentSeries(expr, series, grid.count) : series;
}

const NO_LABELS: Labels = [];

/** Reads or counts the lines of the aggregation's range and gives their samples to an accumulator, by series. */
class SampleCollector {
  readonly #expr: RangeAggregationExpr;
  readonly #extractor: SampleExtractor;
  readonly #context: EvaluationContext;
  readonly #accumulator: RangeAccumulator;
  readonly #metadata: StructuredMetadata;
  readonly #times: RelativeTimes;
  readonly #windows: Windows;
  readonly #labels: Labels[] = [];
  /** Of each series: are its samples of lines with an error that nobody asked for? They fail the query. */
  readonly #failing: boolean[] = [];
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

  /** Takes all lines, or those that also meet `restFields`: then those alone whose level is in the line. */
  async read(restFields?: readonly FieldFilter[]): Promise<void> {
    const { pipeline } = this.#extractor;
    const selected = this.#selected();
    const fields = [...selected.fields, ...(restFields ?? [])];
    const { hints } = pipeline;
    const request = { ...selected, fields, hints, newestFirst: false, limit: Number.MAX_SAFE_INTEGER, deferred: true };
    await scanRows({ ...this.#context, request }, (batch, row, isExact) => {
      this.#take(batch, row, isExact ? pipeline.stagesAfterStore : pipeline.stages, restFields !== undefined);
      return true;
    });
  }

  /** False when the store can't count the lines: they have to be read. */
  async count(plan: CountPlan): Promise<boolean> {
    const { store, grid, signal } = this.#context;
    const buckets = CountBuckets.of(this.#expr, grid);
    if (!buckets) return false;
    const request = { ...this.#selected(), bucketNs: BigInt(buckets.lengthNs) };
    const counted = await countGroups(store, plan, request, signal);
    if (!counted || !this.#addGroups(counted, buckets, plan.withBytes)) return false;
    if (counted.restFields) await this.read(counted.restFields);
    return true;
  }

  #selected() {
    const { tenant, grid } = this.#context;
    const { log, intervalNs, offsetNs } = this.#expr.logRange;
    const { pushed, fields } = this.#extractor.pipeline;
    const firstNs = grid.startNs - BigInt(offsetNs);
    const lastNs = firstNs + grid.stepNs * BigInt(grid.count - 1);
    const range = { startNs: firstNs - BigInt(intervalNs) + 1n, endNs: lastNs + 1n };
    return { tenant, range, matchers: log.matchers, line: pushed, fields };
  }

  /** False, and nothing is added, when a filter can't read a label: the lines then tell what failed. */
  #addGroups({ groups }: CountedGroups, buckets: CountBuckets, withBytes: boolean): boolean {
    const { row, pipeline } = this.#extractor;
    const passing: { readonly series: Labels; readonly counted: LogCountGroup }[] = [];
    row.line = "";
    for (const { labels, counted } of groups) {
      row.labels.reset(NO_LABELS, labels);
      if (!this.#extractor.extract(pipeline.stagesAfterStore)) continue;
      if (row.labels.error !== "") return false;
      passing.push({ series: this.#extractor.labels(), counted });
    }
    const { counts } = this.#context;
    for (const { series: labels, counted } of passing) {
      const series = this.#numberOf(labels);
      const values = (withBytes ? counted.bytes : counted.counts) as Float64Array;
      for (const [i, bucket] of counted.buckets.entries()) {
        this.#accumulator.add(series, buckets.endNs(bucket), values[i] as number);
        counts.linesMatched += counted.counts[i] as number;
        counts.bytesProcessed += counted.bytes?.[i] ?? 0;
      }
    }
    counts.linesProcessed += counts.linesMatched;
    return true;
  }

  async finish(): Promise<StepSeries[]> {
    if (this.#failedStep !== Number.POSITIVE_INFINITY) throw pipelineError(this.#failedLabels);
    return this.#accumulator.finish(this.#labels);
  }

  #take(batch: LogBatch, row: number, stages: SampleExtractor["pipeline"]["stages"], levelInLine: boolean): void {
    const timeNs = this.#times.of(batch.timesNs, row);
    const first = this.#windows.first(timeNs);
    if (first >= this.#windows.end(timeNs)) return;
    const stream = batch.streams[batch.streamRefs[row] as number] as LogStream;
    const extractor = this.#extractor;
    extractor.row.line = batch.bodies[row] as string;
    extractor.row.timeNs = batch.timesNs[row] as bigint;
    const { labels } = extractor.row;
    const metadata = this.#metadata.of(batch, row);
    if (levelInLine && levelOfLabels(stream.labels, metadata, batch.severities[row] as number) !== undefined) return;
    labels.reset(stream.labels, metadata);
    if (!extractor.extract(stages)) return;
    this.#context.counts.linesMatched++;
    const plain = labels.isPlain ? this.#plain.get(stream.labels) : undefined;
    const series = plain ?? this.#seriesOf(stream.labels);
    if (this.#failing[series] && first < this.#failedStep) this.#noteFailure(first, series);
    this.#accumulator.add(series, timeNs, extractor.value);
  }

  #seriesOf(stream: Labels): number {
    const series = this.#numberOf(this.#extractor.labels());
    if (this.#extractor.row.labels.isPlain) this.#plain.set(stream, series);
    return series;
  }

  #numberOf(labels: Labels): number {
    const key = labelsKey(labels);
    let series = this.#numbers.get(key);
    if (series === undefined) {
      series = this.#labels.length;
      this.#labels.push(labels);
      this.#failing.push(labelValue(labels, ERROR) !== "" && labelValue(labels, PRESERVE_ERROR) !== "true");
      this.#numbers.set(key, series);
      this.#context.budget.hold(labels.length + 1);
    }
    return series;
  }

  #noteFailure(step: number, series: number): void {
    this.#failedStep = step;
    this.#failedLabels = this.#labels[series] as Labels;
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
