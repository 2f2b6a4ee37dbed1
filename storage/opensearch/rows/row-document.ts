import type { BulkItem } from "./bulk-writer.ts";
import type { HotBatch } from "./hot-rows.ts";
import { joinObjects } from "./json-objects.ts";
import type { Row, RowCodec } from "./row-codec.ts";
import { rowIdPrefix } from "./row-id-prefix.ts";
import type { DocumentSource } from "./search-rows.ts";

/** The last moment that `date_nanos` can say. */
const MAX_DATE_NANOS = 2n ** 63n - 1n;
const NANO_DIGITS = 9;
const ACTION_END = `"}}`;

/**
 * The operations that store the rows of a batch. Writing one again changes nothing ({@link rowIdPrefix}).
 */
export function* rowItems<Batch extends { readonly length: number }, R extends Row>(
  codec: RowCodec<Batch, R>,
  hot: HotBatch<Batch>,
  { writer, dataStream }: { readonly dataStream: string; readonly writer: string },
): Generator<BulkItem> {
  const { batch, rows, position, tenant, ingestedAtMs } = hot;
  const action = createAction(dataStream, rowIdPrefix(codec, hot, writer)).slice(0, -ACTION_END.length);
  const ofAll = JSON.stringify({ tenant, ingested_at: new Date(ingestedAtMs).toISOString(), writer, position });
  for (const row of rows) {
    const content = codec.rowAt(batch, row);
    const { timeNs } = content;
    const place = `{"timestamp":"${isoNanos(timeNs)}","time_ns":"${timeNs}","row":${row}}`;
    const document = joinObjects(joinObjects(ofAll, place), codec.jsonOf(content));
    yield { action: `${action}${row.toString(36)}${ACTION_END}`, document };
  }
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

/** Rows that come together are mostly of the same second or two. */
let knownSecond = { seconds: "0", text: "1970-01-01T00:00:00" };

/** `2026-11-21T16:20:19.123456789Z`; the nearest that `date_nanos` takes for times before 1970 and after 2262. */
export function isoNanos(timeNs: bigint): string {
  const time = timeNs < 0n ? 0n : timeNs > MAX_DATE_NANOS ? MAX_DATE_NANOS : timeNs;
  const digits = String(time).padStart(NANO_DIGITS + 1, "0");
  const seconds = digits.slice(0, -NANO_DIGITS);
  if (seconds !== knownSecond.seconds) {
    knownSecond = { seconds, text: new Date(Number(seconds) * 1_000).toISOString().slice(0, -".000Z".length) };
  }
  return `${knownSecond.text}.${digits.slice(-NANO_DIGITS)}Z`;
}
