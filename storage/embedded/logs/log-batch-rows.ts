import type { AttributeColumn } from "@sightline/model/attributes.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";

/** A batch of these rows, in this order. Streams are shared with the original. */
export function pickLogRows(batch: LogBatch, rows: Uint32Array): LogBatch {
  const length = rows.length;
  const streamRefs = new Uint32Array(length);
  const timesNs = new BigInt64Array(length);
  const observedNs = new BigInt64Array(length);
  const severities = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const row = rows[i] as number;
    streamRefs[i] = batch.streamRefs[row] as number;
    timesNs[i] = batch.timesNs[row] as bigint;
    observedNs[i] = batch.observedNs[row] as bigint;
    severities[i] = batch.severities[row] as number;
  }
  return {
    length,
    streams: batch.streams,
    streamRefs,
    timesNs,
    observedNs,
    severities,
    severityTexts: pickTexts(batch.severityTexts, rows),
    bodies: pickTexts(batch.bodies, rows),
    traceIds: pickTexts(batch.traceIds, rows),
    spanIds: pickTexts(batch.spanIds, rows),
    attributes: pickAttributes(batch.attributes, rows),
  };
}

export function pickTexts(texts: readonly string[], rows: Uint32Array): string[] {
  const picked = new Array<string>(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = texts[rows[i] as number] as string;
  return picked;
}

/** Columns without a value in these rows are left out. */
export function pickAttributes(columns: readonly AttributeColumn[], rows: Uint32Array): AttributeColumn[] {
  const picked: AttributeColumn[] = [];
  for (const { name, type, values } of columns) {
    const kept = new Array<string | undefined>(rows.length);
    let any = false;
    for (let i = 0; i < rows.length; i++) {
      const value = values[rows[i] as number];
      kept[i] = value;
      any ||= value !== undefined;
    }
    if (any) picked.push({ name, type, values: kept });
  }
  return picked;
}
