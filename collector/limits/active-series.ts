import { labelsKey } from "@sightline/model/labels.ts";
import { type MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import { RowSet } from "../processors/row-set.ts";
import type { Pass, ProcessorContext, Stage } from "../processors/stage.ts";
import type { Steps } from "../processors/steps.ts";
import { type OverflowSample, OverflowTotals, overflowLabels } from "./overflow-totals.ts";
import { SeriesSlots } from "./series-slots.ts";
import { SharedPlaces } from "./shared-places.ts";
import type { SavedSlots } from "./slots-codec.ts";
import type { MetricLimits } from "./tenant-config.ts";

const SWEEP_MS = 30_000;

/** Bounds active series, of the tenant and of each metric; undefined when neither is limited. */
export function activeSeries(limits: MetricLimits, context: ProcessorContext): ActiveSeries | undefined {
  return limits.max_active_series + limits.max_series_per_metric > 0 ? new ActiveSeries(limits, context) : undefined;
}

/**
 * Series that find no room are added up per metric in an overflow series. The decision that the log keeps has the rows
 * concerned and the samples that take their place: sums depend on what came before.
 *
 * Collectors that share something give the same series places, and as many together as one may alone. Each knows those it has
 * seen: when nobody can be asked they keep theirs, and each gives the rest to others as if it were alone.
 */
export class ActiveSeries implements Stage<MetricBatch> {
  readonly name = "active_series";
  readonly #limits: MetricLimits;
  readonly #slots: SeriesSlots;
  readonly #totals: OverflowTotals;
  readonly #places: SharedPlaces | undefined;
  #table: readonly SeriesKey[] = [];
  /** By reference in the table: slot + 1, 0 when not looked at yet, -1 when there is no room. */
  #slotOf = new Int32Array(0);
  #sweptMs = 0;
  readonly #overflowKeys = new Map<string, SeriesKey>();

  constructor(limits: MetricLimits, { tenant, maxSeries, sharedLimits }: ProcessorContext) {
    this.#limits = limits;
    this.#slots = new SeriesSlots({
      maxSeries: limits.max_active_series || maxSeries,
      maxPerMetric: limits.max_series_per_metric,
      windowMs: limits.active_series_window_ms,
    });
    this.#totals = new OverflowTotals(limits.max_overflow_series);
    this.#places = sharedLimits && new SharedPlaces({ shared: sharedLimits, tenant, limits, slots: this.#slots });
  }

  /** To be given to {@link restore} of the one that takes its place. */
  saved(): SavedSlots {
    return this.#slots.saved();
  }

  restore(saved: SavedSlots): void {
    this.#slots.restore(saved);
  }

  remember(batch: MetricBatch, decision: Uint8Array | undefined, receivedAtMs: number): void {
    const overflow = decision && decode(decision, batch.length + batch.histograms.length).overflow;
    this.#use(batch.series);
    for (let row = 0; row < batch.length; row++) {
      if (!overflow?.has(row)) this.#hasRoom(batch.refs[row] as number, receivedAtMs);
    }
    for (const [i, { ref }] of batch.histograms.entries()) {
      if (!overflow?.has(batch.length + i)) this.#hasRoom(ref, receivedAtMs);
    }
  }

  *decide(batch: MetricBatch, receivedAtMs: number): Steps<Uint8Array | undefined> {
    this.#use(batch.series);
    this.#sweep(receivedAtMs);
    if (this.#places) yield* this.#askFor(this.#places, batch);
    return this.#decide(batch, receivedAtMs);
  }

  /** Series that were not looked at yet. */
  *#askFor(places: SharedPlaces, { length, refs, histograms }: MetricBatch): Steps<void> {
    const unknown = new Map<number, SeriesKey>();
    const look = (ref: number) => {
      if (this.#slotOf[ref] === 0) unknown.set(ref, this.#table[ref] as SeriesKey);
    };
    for (let row = 0; row < length; row++) look(refs[row] as number);
    for (const { ref } of histograms) look(ref);
    const asked =
      unknown.size === 0
        ? undefined
        : places.claim(unknown, (ref) => {
            this.#slotOf[ref] = -1;
          });
    if (asked) yield asked;
  }

  #decide(batch: MetricBatch, receivedAtMs: number): Uint8Array | undefined {
    const { length, refs, timesMs, values, startsMs, series, histograms } = batch;
    let overflow: RowSet | undefined;
    let refused = 0;
    const words = wordsOf(values);
    for (let row = 0; row < length; row++) {
      const ref = refs[row] as number;
      if (this.#hasRoom(ref, receivedAtMs)) continue;
      overflow ??= new RowSet(length + histograms.length);
      overflow.add(row);
      const value = values[row] as number;
      const stale = Number.isNaN(value) && isStaleAt(words, row);
      const key = series[ref] as SeriesKey;
      const start = startsMs?.[row] ?? 0;
      if (!this.#totals.add(row, ref, key, timesMs[row] as number, start, value, stale, receivedAtMs)) refused++;
    }
    for (const [i, { ref }] of histograms.entries()) {
      if (this.#hasRoom(ref, receivedAtMs)) continue;
      overflow ??= new RowSet(length + histograms.length);
      overflow.add(length + i);
      refused++;
    }
    return overflow && encode(overflow, refused, this.#totals.take());
  }

  apply(batch: MetricBatch, decision: Uint8Array | undefined, pass: Pass): MetricBatch {
    if (!decision) return batch;
    const { overflow, refused, samples } = decode(decision, batch.length + batch.histograms.length);
    const { max_active_series: most, max_series_per_metric: perMetric, max_overflow_series: overflows } = this.#limits;
    const limits = `limits.metrics.max_active_series (${most}) or max_series_per_metric (${perMetric})`;
    pass.overflow(
      overflow.size - refused,
      `samples of series above ${limits} were added up in overflow series: raise it`,
    );
    const why = `series above ${limits}, with a native histogram or more overflow series than max_overflow_series (${overflows})`;
    pass.reject("series_limit", refused, `${why} allows: write fewer or raise it`);
    return this.#replace(batch, overflow, samples);
  }

  /** A batch with a table of its own, of the series that are left and the overflow series. */
  #replace(batch: MetricBatch, overflow: RowSet, samples: readonly OverflowSample[]): MetricBatch {
    const { length, refs, timesMs, values, startsMs } = batch;
    const table = new OwnTable(batch.series);
    const rows = length + samples.length;
    const made = {
      refs: new Uint32Array(rows),
      timesMs: new Float64Array(rows),
      values: new Float64Array(rows),
      startsMs: startsMs || samples.some(({ startMs }) => startMs > 0) ? new Float64Array(rows) : undefined,
    };
    let kept = 0;
    const push = (ref: number, timeMs: number, startMs: number) => {
      made.refs[kept] = ref;
      made.timesMs[kept] = timeMs;
      if (made.startsMs) made.startsMs[kept] = startMs;
      return kept++;
    };
    for (let row = 0; row < length; row++) {
      if (overflow.has(row)) continue;
      const at = push(table.refOf(refs[row] as number), timesMs[row] as number, startsMs?.[row] ?? 0);
      // From array to array, so that staleness markers stay what they are.
      made.values[at] = values[row] as number;
    }
    for (const { row, timeMs, startMs, value } of samples) {
      const key = batch.series[refs[row] as number] as SeriesKey;
      made.values[push(table.add(this.#overflowKey(key)), timeMs, startMs)] = value;
    }
    const histograms = batch.histograms
      .filter((_, i) => !overflow.has(length + i))
      .map((each) => ({ ...each, ref: table.refOf(each.ref) }));
    const exemplars = batch.exemplars
      .filter(({ ref }) => table.has(ref))
      .map((each) => ({ ...each, ref: table.refOf(each.ref) }));
    return { ...batch, ...made, length: kept, series: table.series, histograms, exemplars };
  }

  #overflowKey({ labels, info }: SeriesKey): SeriesKey {
    const overflow = overflowLabels(labels);
    const id = labelsKey(overflow);
    const known = this.#overflowKeys.get(id);
    if (known) return known;
    if (this.#overflowKeys.size >= this.#limits.max_overflow_series) this.#overflowKeys.clear();
    const key = new SeriesKey(overflow, info);
    this.#overflowKeys.set(id, key);
    return key;
  }

  #hasRoom(ref: number, nowMs: number): boolean {
    let slot = this.#slotOf[ref] as number;
    if (slot === 0) {
      const claimed = this.#slots.claim((this.#table[ref] as SeriesKey).labels);
      slot = claimed < 0 ? -1 : claimed + 1;
      this.#slotOf[ref] = slot;
    }
    if (slot < 0) return false;
    this.#slots.touch(slot - 1, nowMs);
    return true;
  }

  #use(table: readonly SeriesKey[]): void {
    if (table !== this.#table) {
      this.#table = table;
      this.#slotOf = new Int32Array(table.length);
      this.#totals.forgetSeries();
    }
    if (this.#slotOf.length >= table.length) return;
    const larger = new Int32Array(Math.max(table.length, Math.ceil(1.5 * this.#slotOf.length)));
    larger.set(this.#slotOf);
    this.#slotOf = larger;
  }

  /** Room that becomes free is given to whoever comes next, so all have to be looked at again. */
  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < Math.min(SWEEP_MS, this.#limits.active_series_window_ms / 2)) return;
    this.#sweptMs = nowMs;
    // Others may have given back some, too.
    if (this.#slots.sweep(nowMs) || this.#places) this.#slotOf.fill(0);
    this.#places?.report(nowMs);
    this.#totals.sweep(nowMs);
  }
}

/** The part of a shared table that a batch uses. */
class OwnTable {
  readonly series: SeriesKey[] = [];
  readonly #shared: readonly SeriesKey[];
  readonly #refs = new Map<number, number>();

  constructor(shared: readonly SeriesKey[]) {
    this.#shared = shared;
  }

  has(ref: number): boolean {
    return this.#refs.has(ref);
  }

  refOf(ref: number): number {
    let own = this.#refs.get(ref);
    if (own === undefined) {
      own = this.add(this.#shared[ref] as SeriesKey);
      this.#refs.set(ref, own);
    }
    return own;
  }

  add(key: SeriesKey): number {
    return this.series.push(key) - 1;
  }
}

const SAMPLE_BYTES = 28;

/** The number of refused rows as uint32, the bitmap of the rows, then row, time, start and value of each sample. */
function encode(overflow: RowSet, refused: number, samples: readonly OverflowSample[]): Uint8Array {
  const bitmap = overflow.bytes;
  const encoded = Buffer.alloc(4 + bitmap.length + SAMPLE_BYTES * samples.length);
  encoded.writeUInt32LE(refused, 0);
  encoded.set(bitmap, 4);
  let at = 4 + bitmap.length;
  for (const { row, timeMs, startMs, value } of samples) {
    encoded.writeUInt32LE(row, at);
    encoded.writeDoubleLE(timeMs, at + 4);
    encoded.writeDoubleLE(startMs, at + 12);
    encoded.writeDoubleLE(value, at + 20);
    at += SAMPLE_BYTES;
  }
  return encoded;
}

function decode(decision: Uint8Array, rows: number) {
  const bytes = Buffer.from(decision.buffer, decision.byteOffset, decision.length);
  const bitmapEnd = 4 + ((rows + 7) >> 3);
  const samples: OverflowSample[] = [];
  for (let at = bitmapEnd; at + SAMPLE_BYTES <= bytes.length; at += SAMPLE_BYTES) {
    samples.push({
      row: bytes.readUInt32LE(at),
      timeMs: bytes.readDoubleLE(at + 4),
      startMs: bytes.readDoubleLE(at + 12),
      value: bytes.readDoubleLE(at + 20),
    });
  }
  return { overflow: RowSet.from(bytes.subarray(4, bitmapEnd)), refused: bytes.readUInt32LE(0), samples };
}
