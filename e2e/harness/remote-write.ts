import { compressSync } from "snappy";
import { type Answer, call } from "./http-call.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** A label name or value; bytes where a test wants text that is not UTF-8. */
export type Text = string | Uint8Array;
export type Pairs = readonly (readonly [name: Text, value: Text])[];
export type HistogramPoint = {
  readonly timeMs: number;
  readonly schema: number;
  readonly sum: number;
  readonly count: number;
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  readonly positiveSpans?: readonly (readonly [offset: number, length: number])[];
  /** Integer histograms: differences from bucket to bucket; float histograms: the counts themselves. */
  readonly positive?: readonly number[];
  readonly negativeSpans?: readonly (readonly [offset: number, length: number])[];
  readonly negative?: readonly number[];
  readonly customValues?: readonly number[];
  readonly float?: boolean;
  readonly resetHint?: number;
};
export type Series = {
  readonly labels: Pairs;
  /** In milliseconds; `startMs` is sent by version 2 only. */
  readonly samples?: readonly { readonly timeMs: number; readonly value: number; readonly startMs?: number }[];
  readonly histograms?: readonly HistogramPoint[];
  readonly exemplars?: readonly { readonly labels: Pairs; readonly value: number; readonly timeMs: number }[];
  /** Version 2 only. */
  readonly metadata?: { readonly type: number; readonly help: string; readonly unit: string };
  /** Version 2 as first published: one created timestamp per series. */
  readonly createdMs?: number;
};
export type Metadata = {
  readonly metric: string;
  readonly type: number;
  readonly help: string;
  readonly unit: string;
};

export const REMOTE_WRITE_1 = {
  "content-type": "application/x-protobuf",
  "content-encoding": "snappy",
  "x-prometheus-remote-write-version": "0.1.0",
} as const;
export const REMOTE_WRITE_2 = {
  "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
  "content-encoding": "snappy",
  "x-prometheus-remote-write-version": "2.0.0",
} as const;

const text = (writer: ProtobufWriter, field: number, value: Text) =>
  typeof value === "string" ? writer.string(field, value) : writer.bytes(field, value);

/** prometheus.WriteRequest, uncompressed. Labels are written in the order given. */
export function encodeRemoteWrite1(series: readonly Series[], metadata: readonly Metadata[] = []): Buffer {
  const writer = new ProtobufWriter();
  const pairs = (labels: Pairs) => {
    for (const [name, value] of labels) {
      writer.message(1, () => {
        text(writer, 1, name);
        text(writer, 2, value);
      });
    }
  };
  for (const one of series) {
    writer.message(1, () => {
      pairs(one.labels);
      for (const { timeMs, value } of one.samples ?? []) {
        writer.message(2, () => writer.double(1, value).varint(2, timeMs));
      }
      for (const exemplar of one.exemplars ?? []) {
        writer.message(3, () => {
          pairs(exemplar.labels);
          writer.double(2, exemplar.value).varint(3, exemplar.timeMs);
        });
      }
      for (const histogram of one.histograms ?? []) writer.message(4, () => writeHistogram(writer, histogram));
    });
  }
  for (const { metric, type, help, unit } of metadata) {
    writer.message(3, () => writer.varint(1, type).string(2, metric).string(4, help).string(5, unit));
  }
  return writer.finish();
}

/** io.prometheus.write.v2.Request, uncompressed. */
export function encodeRemoteWrite2(series: readonly Series[]): Buffer {
  const symbols: Text[] = [""];
  const known = new Map<string, number>([["", 0]]);
  const refOf = (symbol: Text): number => {
    const key = typeof symbol === "string" ? symbol : `\0${Buffer.from(symbol).toString("hex")}`;
    let ref = known.get(key);
    if (ref === undefined) {
      ref = symbols.push(symbol) - 1;
      known.set(key, ref);
    }
    return ref;
  };
  const refs = (labels: Pairs) => labels.flatMap(([name, value]) => [refOf(name), refOf(value)]);
  const body = new ProtobufWriter();
  for (const one of series) {
    body.message(5, () => {
      body.packed(1, refs(one.labels));
      for (const { timeMs, value, startMs } of one.samples ?? []) {
        body.message(2, () => {
          body.double(1, value).varint(2, timeMs);
          if (startMs !== undefined) body.varint(3, startMs);
        });
      }
      for (const histogram of one.histograms ?? []) body.message(3, () => writeHistogram(body, histogram));
      for (const exemplar of one.exemplars ?? []) {
        body.message(4, () =>
          body.packed(1, refs(exemplar.labels)).double(2, exemplar.value).varint(3, exemplar.timeMs),
        );
      }
      const { metadata } = one;
      if (metadata) {
        body.message(5, () =>
          body.varint(1, metadata.type).varint(3, refOf(metadata.help)).varint(4, refOf(metadata.unit)),
        );
      }
      if (one.createdMs !== undefined) body.varint(6, one.createdMs);
    });
  }
  const writer = new ProtobufWriter();
  for (const symbol of symbols) text(writer, 4, symbol);
  return writer.raw(body.finish()).finish();
}

const zigzag = (value: number) => (BigInt(value) << 1n) ^ (BigInt(value) >> 63n);

/** The same message in both versions. */
function writeHistogram(writer: ProtobufWriter, point: HistogramPoint): void {
  const spans = (field: number, list: HistogramPoint["positiveSpans"] = []) => {
    for (const [offset, length] of list)
      writer.message(field, () => writer.varint(1, zigzag(offset)).varint(2, length));
  };
  const doubles = (field: number, values: readonly number[]) =>
    writer.bytes(field, new Uint8Array(Float64Array.from(values).buffer));
  const buckets = (deltas: number, counts: number, values: readonly number[] = []) => {
    if (point.float === true) doubles(counts, values);
    else for (const value of values) writer.varint(deltas, zigzag(value));
  };
  if (point.float === true) writer.double(2, point.count);
  else writer.varint(1, point.count);
  writer
    .double(3, point.sum)
    .varint(4, zigzag(point.schema))
    .double(5, point.zeroThreshold ?? 0);
  if (point.float === true) writer.double(7, point.zeroCount ?? 0);
  else writer.varint(6, point.zeroCount ?? 0);
  spans(8, point.negativeSpans);
  buckets(9, 10, point.negative);
  spans(11, point.positiveSpans);
  buckets(12, 13, point.positive);
  writer.varint(14, point.resetHint ?? 0).varint(15, point.timeMs);
  if (point.customValues) doubles(16, point.customValues);
}

export const snappy = (raw: Uint8Array): Buffer => compressSync(Buffer.from(raw));

/** Sends one remote-write request to a Sightline at `url`, of the version whose headers are given. */
export function remoteWrite(
  url: string,
  version: 1 | 2,
  series: readonly Series[],
  options: { readonly tenant?: string; readonly metadata?: readonly Metadata[] } = {},
): Promise<Answer> {
  const raw = version === 1 ? encodeRemoteWrite1(series, options.metadata) : encodeRemoteWrite2(series);
  return postRemoteWrite(url, version, snappy(raw), options.tenant);
}

export function postRemoteWrite(url: string, version: 1 | 2, body: Uint8Array, tenant = "default"): Promise<Answer> {
  const headers = { ...(version === 1 ? REMOTE_WRITE_1 : REMOTE_WRITE_2), "x-scope-orgid": tenant };
  return call(`${url}/api/v1/write`, { headers, body });
}
