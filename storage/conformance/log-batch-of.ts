import type { Attribute, AttributeColumn, Attributes, AttributeType, Scope } from "@sightline/model/attributes.ts";
import { NO_SCOPE } from "@sightline/model/attributes.ts";
import { labelsFrom } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";

/** A log record written down as one object. Whatever is left out is empty. */
export type LogRow = {
  readonly timeNs: bigint;
  readonly body?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly resource?: Attributes;
  readonly scope?: Scope;
  /** Default: 0, for none. */
  readonly observedNs?: bigint;
  readonly severity?: number;
  readonly severityText?: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly attributes?: Attributes;
};

export function logBatchOf(rows: readonly LogRow[]): LogBatch {
  const streams = new Map<string, LogStream>();
  const streamRefs = rows.map(({ labels = {}, resource = [], scope = NO_SCOPE }) => {
    const key = JSON.stringify([Object.entries(labels).sort(), resource, scope]);
    if (!streams.has(key)) streams.set(key, { labels: labelsFrom(labels), resource, scope });
    return [...streams.keys()].indexOf(key);
  });
  return {
    length: rows.length,
    streams: [...streams.values()],
    streamRefs: Uint32Array.from(streamRefs),
    timesNs: BigInt64Array.from(rows.map(({ timeNs }) => timeNs)),
    observedNs: BigInt64Array.from(rows.map(({ observedNs }) => observedNs ?? 0n)),
    severities: Uint8Array.from(rows.map(({ severity }) => severity ?? 0)),
    severityTexts: rows.map(({ severityText }) => severityText ?? ""),
    bodies: rows.map(({ body }) => body ?? ""),
    traceIds: rows.map(({ traceId }) => traceId ?? ""),
    spanIds: rows.map(({ spanId }) => spanId ?? ""),
    attributes: attributeColumnsOf(rows.map(({ attributes }) => attributes ?? [])),
  };
}

/** Every field present, attributes sorted by name and type: equal records compare equal. */
export function logRowsOf(batch: LogBatch): Required<LogRow>[] {
  return Array.from({ length: batch.length }, (_, row) => {
    const { labels, resource, scope } = batch.streams[batch.streamRefs[row] as number] as LogStream;
    batch.load?.(row);
    return {
      timeNs: batch.timesNs[row] as bigint,
      body: batch.bodies[row] as string,
      labels: Object.fromEntries(labels),
      resource,
      scope,
      observedNs: batch.observedNs[row] as bigint,
      severity: batch.severities[row] as number,
      severityText: batch.severityTexts[row] as string,
      traceId: batch.traceIds[row] as string,
      spanId: batch.spanIds[row] as string,
      attributes: attributesAt(batch.attributes, row),
    };
  });
}

export function attributeColumnsOf(rows: readonly Attributes[]): AttributeColumn[] {
  const columns = new Map<string, { name: string; type: AttributeType; values: (string | undefined)[] }>();
  for (const [row, attributes] of rows.entries()) {
    for (const { name, type, value } of attributes) {
      const key = `${type}:${name}`;
      const column = columns.get(key) ?? { name, type, values: [] };
      columns.set(key, column);
      while (column.values.length < row) column.values.push(undefined);
      column.values[row] = value;
    }
  }
  return [...columns.values()];
}

/** Sorted by name and type. */
export function attributesAt(columns: readonly AttributeColumn[], row: number): Attribute[] {
  return columns
    .flatMap(({ name, type, values }): Attribute[] => {
      const value = values[row];
      return value === undefined ? [] : [{ name, type, value }];
    })
    .sort((a, b) => (a.name === b.name ? compare(a.type, b.type) : compare(a.name, b.name)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
