import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { CUSTOM_BUCKETS_SCHEMA, isStaleHistogram, type NativeHistogram } from "@sightline/model/histogram.ts";
import type { Labels } from "@sightline/model/labels.ts";
import { labelsKey } from "@sightline/model/labels.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { type HistogramSample, type MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import type { AppendResult } from "@sightline/model/ports.ts";
import { wordsOf, writeStale } from "@sightline/model/stale.ts";
import { DEFAULT_TENANT, type TenantId } from "@sightline/model/tenant.ts";
import { queryConfig } from "@sightline/query/config.ts";
import { PromEngine } from "@sightline/query/promql/engine.ts";
import { continues } from "@sightline/query/promql/promqltest/load-batch.ts";
import type { SeriesLine, Value } from "@sightline/query/promql/promqltest/script.ts";
import { embeddedMetricsConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedMetricStore } from "@sightline/storage-embedded/metrics/embedded-metric-store.ts";
import { Registry } from "prom-client";
import { EngineRuleEvaluator } from "../alerting/engine-rule-evaluator.ts";
import { histogramExpression } from "./histogram-expression.ts";

/** Tests begin at the epoch, or where they want. */
const SETTINGS = { retention: "900y", out_of_bounds_future: "900y" };
const [UNKNOWN, NOT_RESET, GAUGE] = [0, 2, 3] as const;
const [MIN_SCHEMA, MAX_SCHEMA] = [-4, 8] as const;
const FOREVER = new AbortController().signal;

/** `histogram` is "" for a float, else as {@link histogramExpression} has it. */
export type Sample = { readonly labels: Labels; readonly value: number; readonly histogram: string };

/** What a unit test of rules runs on: a store of its own, into which its series come as its time goes on. */
export class RuleTestStore {
  readonly evaluator: EngineRuleEvaluator;
  readonly #store: EmbeddedMetricStore;
  readonly #dir: string;
  #series: readonly { readonly key: SeriesKey; readonly values: readonly Value[] }[] = [];
  #next = 0;
  #gapMs = 1;
  #startMs = 0;
  #position = 0;
  /** By the key of their labels. */
  readonly #lastHistograms = new Map<string, NativeHistogram>();

  constructor(store: EmbeddedMetricStore, dir: string) {
    this.#store = store;
    this.#dir = dir;
    const limits = queryConfig.parse({});
    const prom = new PromEngine({ queryable: store, limits });
    this.evaluator = new EngineRuleEvaluator({ prom, metrics: store, maxQueryBytes: limits.logs.max_query_bytes });
  }

  static async open(): Promise<RuleTestStore> {
    const dir = await mkdtemp(join(tmpdir(), "sightline-rules-test-"));
    const config = embeddedMetricsConfig.parse(SETTINGS);
    const store = new EmbeddedMetricStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
    await store.start();
    return new RuleTestStore(store, dir);
  }

  async close(): Promise<void> {
    await this.#store.stop();
    await rm(this.#dir, { recursive: true });
  }

  /** Says what is to come: values `gapMs` apart, from `startMs` on. Of a series that comes twice the last one counts. */
  prepare(lines: readonly SeriesLine[], gapMs: number, startMs: number): void {
    const byLabels = new Map(lines.map((line) => [labelsKey(line.labels), line]));
    this.#series = [...byLabels.values()].map(({ labels, values }) => ({ key: new SeriesKey(labels), values }));
    this.#gapMs = gapMs;
    this.#startMs = startMs;
  }

  /** Everything up to the time is there then. */
  async loadUntil(timeMs: number): Promise<void> {
    const floats: { ref: number; timeMs: number; value: number | undefined }[] = [];
    const histograms: HistogramSample[] = [];
    for (; this.#startMs + this.#next * this.#gapMs <= timeMs; this.#next++) {
      const atMs = this.#startMs + this.#next * this.#gapMs;
      for (const [ref, { values }] of this.#series.entries()) {
        const value = values[this.#next];
        // What is no histogram ends a chunk of histograms.
        if (value?.kind === "float" || value?.kind === "stale")
          this.#lastHistograms.delete(labelsKey(this.#labelsOf(ref)));
        if (value?.kind === "histogram") assertSchema(value.histogram);
        if (value?.kind === "histogram") histograms.push({ ref, timeMs: atMs, startMs: 0, histogram: value.histogram });
        if (value?.kind === "float") floats.push({ ref, timeMs: atMs, value: value.value });
        if (value?.kind === "stale") floats.push({ ref, timeMs: atMs, value: undefined });
      }
    }
    const { length } = floats;
    if (length + histograms.length === 0) return;
    const values = Float64Array.from(floats, ({ value = 0 }) => value);
    const words = wordsOf(values);
    for (const [i, { value }] of floats.entries()) if (value === undefined) writeStale(words, i);
    await this.append(DEFAULT_TENANT, {
      length,
      series: this.#series.map(({ key }) => key),
      refs: Uint32Array.from(floats, ({ ref }) => ref),
      timesMs: Float64Array.from(floats, ({ timeMs }) => timeMs),
      values,
      histograms,
      exemplars: [],
      metadata: [],
    });
  }

  #labelsOf(ref: number): Labels {
    return this.#series[ref]?.key.labels ?? [];
  }

  append(tenant: TenantId, batch: MetricBatch): Promise<AppendResult> {
    const histograms = batch.histograms.map((sample) => this.#withHint(sample, batch));
    return this.#store.append(tenant, { ...batch, histograms }, ++this.#position);
  }

  /** Prometheus' storage finds resets itself, and tests may ask for what it found. */
  #withHint(sample: HistogramSample, { series }: MetricBatch): HistogramSample {
    const { histogram, ref } = sample;
    if (histogram.counterResetHint === GAUGE || isStaleHistogram(histogram)) return sample;
    const key = labelsKey(series[ref]?.labels ?? []);
    const counterResetHint = continues(histogram, this.#lastHistograms.get(key)) ? NOT_RESET : UNKNOWN;
    this.#lastHistograms.set(key, histogram);
    return { ...sample, histogram: { ...histogram, counterResetHint } };
  }

  async ask(text: string, timeMs: number): Promise<readonly Sample[]> {
    const query = { text, language: "promql", tenant: DEFAULT_TENANT, timeMs } as const;
    const samples = await this.evaluator.evaluate(query, FOREVER);
    return samples.map(({ labels, value, histogram }) => ({
      labels,
      value: histogram ? 0 : value,
      histogram: histogram ? histogramExpression(histogram) : "",
    }));
  }
}

function assertSchema({ schema }: NativeHistogram): void {
  if (schema === CUSTOM_BUCKETS_SCHEMA || (schema >= MIN_SCHEMA && schema <= MAX_SCHEMA)) return;
  throw new InvalidInputError(
    `histogram has an invalid schema, which must be between ${MIN_SCHEMA} and ${MAX_SCHEMA} for exponential buckets, ` +
      `or ${CUSTOM_BUCKETS_SCHEMA} for custom buckets, got schema ${schema}`,
  );
}
