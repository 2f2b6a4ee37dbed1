import { type Labels, labelsKey, labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import { type MetricBatch, type SeriesInfo, SeriesKey } from "@sightline/model/metric-batch.ts";
import type { RejectionReason } from "@sightline/model/ports.ts";
import type { Pass, Stage } from "./stage.ts";

/** Why a series is not stored: a processor was told to leave it out, or a limit refuses it. */
export type SeriesRefusal =
  | { readonly kind: "drop" }
  | { readonly kind: "reject"; readonly reason: RejectionReason; readonly message: (labels: Labels) => string };
export const DROP_SERIES: SeriesRefusal = Object.freeze({ kind: "drop" });

/** What happens to a series by its labels alone. Gives the labels themselves, unchanged, when nothing does. */
export interface SeriesFunction {
  readonly name: string;
  map(labels: Labels, info: SeriesInfo): Labels | SeriesRefusal;
}

type NamedRefusal = { readonly stage: string; readonly refusal: SeriesRefusal };

/**
 * Runs functions of labels over the series of batches, once per interned series: in the steady state a row costs one
 * look-up in a table, whatever and however many the functions are.
 *
 * Holds at most `maxSeries` series at the start of a batch; then it forgets them and begins anew.
 */
export class SeriesMapper implements Stage<MetricBatch> {
  readonly name: string;
  readonly #functions: readonly SeriesFunction[];
  readonly #maxSeries: number;
  #series: SeriesKey[] = [];
  #refs = new Map<string, number>();
  /** By table of a decoder: 0 for what was not looked at yet, the own reference + 1, or -1 - the number of the refusal. */
  #tables = new WeakMap<readonly SeriesKey[], Int32Array>();
  #refusals: NamedRefusal[] = [];

  constructor(functions: readonly SeriesFunction[], maxSeries: number) {
    this.#functions = functions;
    this.#maxSeries = maxSeries;
    this.name = functions.map(({ name }) => name).join("+");
  }

  apply(batch: MetricBatch, _decision: unknown, pass: Pass): MetricBatch {
    const { series, refs, timesMs, values, startsMs, length } = batch;
    if (this.#series.length > this.#maxSeries) this.#forget();
    const table = this.#tableOf(series);
    const refused = new RefusedRows();
    let kept = 0;
    for (let row = 0; row < length; row++) {
      const ref = refs[row] as number;
      const mapped = (table[ref] as number) || this.#resolve(series, ref, table);
      if (mapped < 0) {
        refused.add(-mapped - 1, ref);
        continue;
      }
      refs[kept] = mapped - 1;
      if (kept !== row) {
        timesMs[kept] = timesMs[row] as number;
        // From array to array, so that staleness markers stay what they are.
        values[kept] = values[row] as number;
        if (startsMs) startsMs[kept] = startsMs[row] as number;
      }
      kept++;
    }
    const histograms = this.#mapItems(batch.histograms, series, table, refused);
    const exemplars = this.#mapItems(batch.exemplars, series, table, undefined);
    refused.report(this.#refusals, series, pass);
    return { ...batch, length: kept, series: this.#series, histograms, exemplars };
  }

  #mapItems<Item extends { readonly ref: number }>(
    items: readonly Item[],
    series: readonly SeriesKey[],
    table: Int32Array,
    refused: RefusedRows | undefined,
  ): readonly Item[] {
    if (items.length === 0) return items;
    const kept: Item[] = [];
    for (const item of items) {
      const mapped = (table[item.ref] as number) || this.#resolve(series, item.ref, table);
      if (mapped > 0) kept.push({ ...item, ref: mapped - 1 });
      else refused?.add(-mapped - 1, item.ref);
    }
    return kept;
  }

  #tableOf(series: readonly SeriesKey[]): Int32Array {
    const known = this.#tables.get(series);
    if (known && known.length >= series.length) return known;
    const table = new Int32Array(Math.max(series.length, Math.ceil(1.5 * (known?.length ?? 0))));
    if (known) table.set(known);
    this.#tables.set(series, table);
    return table;
  }

  #resolve(series: readonly SeriesKey[], ref: number, table: Int32Array): number {
    const mapped = this.#map(series[ref] as SeriesKey);
    table[ref] = mapped;
    return mapped;
  }

  #map(key: SeriesKey): number {
    let { labels } = key;
    for (const each of this.#functions) {
      const result = each.map(labels, key.info);
      if ("kind" in result) return -1 - this.#refusalNumber(each.name, result);
      labels = result;
    }
    return 1 + (labels === key.labels ? this.#add(key) : this.#intern(labels, key.info, key));
  }

  #add(key: SeriesKey): number {
    return this.#series.push(key) - 1;
  }

  #intern(labels: Labels, info: SeriesInfo, original: SeriesKey): number {
    const renamed = labelValue(labels, METRIC_NAME) !== labelValue(original.labels, METRIC_NAME);
    const newInfo = renamed && info.otelName !== "" ? { ...info, otelName: "" } : info;
    const { type, unit, temporality, otelName } = newInfo;
    const key = `${labelsKey(labels)}\u0003${type}\u0003${unit}\u0003${temporality}\u0003${otelName}`;
    let ref = this.#refs.get(key);
    if (ref === undefined) {
      ref = this.#add(new SeriesKey(labels, newInfo));
      this.#refs.set(key, ref);
    }
    return ref;
  }

  #refusalNumber(stage: string, refusal: SeriesRefusal): number {
    const known = this.#refusals.findIndex((other) => other.stage === stage && other.refusal === refusal);
    return known >= 0 ? known : this.#refusals.push({ stage, refusal }) - 1;
  }

  #forget(): void {
    this.#series = [];
    this.#refs = new Map();
    this.#tables = new WeakMap();
  }
}

/** Rows that were refused in one batch, by refusal, each with one series as the example. */
class RefusedRows {
  readonly #counts: number[] = [];
  readonly #examples: number[] = [];

  add(refusal: number, ref: number): void {
    this.#counts[refusal] = (this.#counts[refusal] ?? 0) + 1;
    this.#examples[refusal] = ref;
  }

  report(refusals: readonly NamedRefusal[], series: readonly SeriesKey[], pass: Pass): void {
    this.#counts.forEach((count, i) => {
      const { stage, refusal } = refusals[i] as NamedRefusal;
      if (refusal.kind === "drop") pass.drop(stage, count);
      else
        pass.reject(refusal.reason, count, refusal.message((series[this.#examples[i] as number] as SeriesKey).labels));
    });
  }
}
