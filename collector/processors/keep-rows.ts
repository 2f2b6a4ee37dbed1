import type { AttributeColumn } from "@sightline/model/attributes.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { RowSet } from "./row-set.ts";

/** The batch without the rows of `dropped`. */
export function withoutLogRows(batch: LogBatch, dropped: RowSet): LogBatch {
  if (dropped.size === 0) return batch;
  const rows = keptRows(batch.length, dropped);
  return {
    length: rows.length,
    streams: batch.streams,
    streamRefs: rows.map((row) => batch.streamRefs[row] as number),
    timesNs: pick64(batch.timesNs, rows),
    observedNs: pick64(batch.observedNs, rows),
    severities: pick8(batch.severities, rows),
    severityTexts: pick(batch.severityTexts, rows),
    bodies: pick(batch.bodies, rows),
    traceIds: pick(batch.traceIds, rows),
    spanIds: pick(batch.spanIds, rows),
    attributes: pickColumns(batch.attributes, rows),
  };
}

/** The batch without the rows of `dropped`. */
export function withoutSpanRows(batch: SpanBatch, dropped: RowSet): SpanBatch {
  if (dropped.size === 0) return batch;
  const rows = keptRows(batch.length, dropped);
  return {
    length: rows.length,
    sources: batch.sources,
    sourceRefs: rows.map((row) => batch.sourceRefs[row] as number),
    traceIds: pick(batch.traceIds, rows),
    spanIds: pick(batch.spanIds, rows),
    parentSpanIds: pick(batch.parentSpanIds, rows),
    traceStates: pick(batch.traceStates, rows),
    flags: rows.map((row) => batch.flags[row] as number),
    names: pick(batch.names, rows),
    kinds: pick8(batch.kinds, rows),
    startsNs: pick64(batch.startsNs, rows),
    durationsNs: pick64(batch.durationsNs, rows),
    statusCodes: pick8(batch.statusCodes, rows),
    statusMessages: pick(batch.statusMessages, rows),
    attributes: pickColumns(batch.attributes, rows),
    events: pick(batch.events, rows),
    links: pick(batch.links, rows),
    ...(batch.dropped && { dropped: pick(batch.dropped, rows) }),
  };
}

/** Rows of a metric batch are its samples and, numbered after them, its histograms. Exemplars stay. */
export function withoutMetricRows(batch: MetricBatch, dropped: RowSet): MetricBatch {
  if (dropped.size === 0) return batch;
  const { length, refs, timesMs, values, startsMs } = batch;
  let kept = 0;
  for (let row = 0; row < length; row++) {
    if (dropped.has(row)) continue;
    refs[kept] = refs[row] as number;
    timesMs[kept] = timesMs[row] as number;
    // From array to array, so that staleness markers stay what they are.
    values[kept] = values[row] as number;
    if (startsMs) startsMs[kept] = startsMs[row] as number;
    kept++;
  }
  const histograms = batch.histograms.filter((_, i) => !dropped.has(length + i));
  return { ...batch, length: kept, histograms };
}

function keptRows(length: number, dropped: RowSet): Uint32Array {
  const rows = new Uint32Array(length);
  let kept = 0;
  for (let row = 0; row < length; row++) if (!dropped.has(row)) rows[kept++] = row;
  return rows.subarray(0, kept);
}

function pick<T>(values: readonly T[], rows: Uint32Array): T[] {
  const picked = new Array<T>(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i] as number] as T;
  return picked;
}

function pick8(values: Uint8Array, rows: Uint32Array): Uint8Array {
  const picked = new Uint8Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i] as number] as number;
  return picked;
}

function pick64(values: BigInt64Array, rows: Uint32Array): BigInt64Array {
  const picked = new BigInt64Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i] as number] as bigint;
  return picked;
}

function pickColumns(columns: readonly AttributeColumn[], rows: Uint32Array): AttributeColumn[] {
  return columns
    .map(({ name, type, values }) => ({ name, type, values: pick(values, rows) }))
    .filter(({ values }) => values.some((value) => value !== undefined));
}
