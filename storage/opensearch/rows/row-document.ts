import type { BulkItem } from "./bulk-writer.ts";
import type { HotBatch } from "./hot-rows.ts";
import type { Row, RowCodec } from "./row-codec.ts";
import type { DocumentSource } from "./search-rows.ts";

/** The last moment that `date_nanos` can say. */
const MAX_DATE_NANOS = 2n ** 63n - 1n;
const NS_PER_MS = 1_000_000n;

/**
 * The operation that stores a row. Its id follows from who wrote it and from where it stands in the writer's log, so that
 * writing it again changes nothing.
 */
export function rowItem<Batch extends { readonly length: number }, R extends Row>(
  codec: RowCodec<Batch, R>,
  hot: HotBatch<Batch>,
  row: number,
  target: { readonly dataStream: string; readonly writer: string },
): BulkItem {
  const { writer, dataStream } = target;
  const { position, tenant, ingestedAtMs } = hot;
  const content = codec.rowAt(hot.batch, row);
  const document = {
    tenant,
    timestamp: isoNanos(content.timeNs),
    time_ns: String(content.timeNs),
    ingested_at: new Date(ingestedAtMs).toISOString(),
    writer,
    position,
    row,
    ...codec.fieldsOf(content),
  };
  const id = `${writer}-${position.toString(36)}-${row.toString(36)}`;
  return { action: createAction(dataStream, id), document: JSON.stringify(document) };
}

export function createAction(index: string, id: string): string {
  return `{"create":{"_index":${JSON.stringify(index)},"_id":${JSON.stringify(id)}}}`;
}

export function rowOfSource<R extends Row>(
  codec: Pick<RowCodec<{ readonly length: number }, R>, "rowOf">,
  source: DocumentSource,
): R {
  return codec.rowOf(BigInt(source.time_ns), source);
}

/** `2026-11-21T16:20:19.123456789Z`; the nearest that `date_nanos` takes for times before 1970 and after 2262. */
export function isoNanos(timeNs: bigint): string {
  const time = timeNs < 0n ? 0n : timeNs > MAX_DATE_NANOS ? MAX_DATE_NANOS : timeNs;
  const milliseconds = new Date(Number(time / NS_PER_MS)).toISOString();
  return `${milliseconds.slice(0, -1)}${String(time % NS_PER_MS).padStart(6, "0")}Z`;
}
