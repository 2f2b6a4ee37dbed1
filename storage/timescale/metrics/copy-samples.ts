import { wordsOf } from "@sightline/model/stale.ts";
import { from as copyFrom } from "pg-copy-streams";
import { float8Array, int8Array } from "../database/binary-array.ts";
import type { Client } from "../database/database.ts";
import type { SampleBuffer } from "./sample-buffer.ts";

/** One tenant's samples of a generation. */
export type SamplesToCopy = { readonly tenantNumber: number; readonly buffer: SampleBuffer };

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const END = Buffer.of(0xff, 0xff);
/** Six fields with their lengths; a start time is NULL or eight bytes. */
const MAX_ROW_BYTES = 2 + 5 * 12 + 8;
const CHUNK_ROWS = 8_192;

/** Writes samples by binary COPY, in the order of series and, within one, as they came. */
export async function copySamples(client: Client, flush: bigint, tenants: readonly SamplesToCopy[]): Promise<void> {
  const stream = client.query(
    copyFrom("COPY samples (time, value, series, flush, start, tenant) FROM STDIN (FORMAT binary)"),
  );
  const done = new Promise<void>((resolve, reject) => {
    stream.once("finish", resolve);
    stream.once("error", reject);
  });
  // Awaited at the end; a failure while rows are still written must not go unheard until then.
  done.catch(() => {});
  const write = async (chunk: Buffer) => {
    if (!stream.write(chunk)) await Promise.race([new Promise((resolve) => stream.once("drain", resolve)), done]);
  };
  await write(SIGNATURE);
  for (const { tenantNumber, buffer } of tenants) {
    const order = orderBySeries(buffer);
    for (let from = 0; from < order.length; from += CHUNK_ROWS) {
      await write(encodeRows(buffer, order.subarray(from, from + CHUNK_ROWS), flush, tenantNumber));
    }
  }
  stream.end(END);
  await done;
}

/** The same by INSERT, for servers that can't COPY in. */
export async function insertSamples(client: Client, flush: bigint, tenants: readonly SamplesToCopy[]): Promise<void> {
  for (const { tenantNumber, buffer } of tenants) {
    const { length, timesMs, startsMs, values, cache, series } = buffer;
    const ids = Array.from(series.subarray(0, length), (number) => cache.at(number).id as bigint);
    await client.query(
      `INSERT INTO samples (time, value, series, flush, start, tenant)
       SELECT u.time, u.value, u.series, $1, nullif(u.start, 0), $2
       FROM unnest($3::int8[], $4::float8[], $5::int8[], $6::int8[]) AS u (time, value, series, start)`,
      [
        String(flush),
        tenantNumber,
        int8Array(timesMs.subarray(0, length)),
        float8Array(values.subarray(0, length)),
        int8Array(ids),
        int8Array(startsMs.subarray(0, length)),
      ],
    );
  }
}

/** Rows by the ids of their series: neighbours in the index are written together. A counting sort. */
function orderBySeries({ length, series, touched, cache }: SampleBuffer): Uint32Array {
  const sorted = touched.slice().sort((a, b) => {
    const [idA, idB] = [cache.at(a).id as bigint, cache.at(b).id as bigint];
    return idA < idB ? -1 : idA > idB ? 1 : 0;
  });
  const starts = new Uint32Array(cache.size);
  for (let row = 0; row < length; row++) starts[series[row] as number] = (starts[series[row] as number] as number) + 1;
  let next = 0;
  for (const number of sorted) {
    const count = starts[number] as number;
    starts[number] = next;
    next += count;
  }
  const order = new Uint32Array(length);
  for (let row = 0; row < length; row++) {
    const number = series[row] as number;
    const at = starts[number] as number;
    order[at] = row;
    starts[number] = at + 1;
  }
  return order;
}

function encodeRows(buffer: SampleBuffer, rows: Uint32Array, flush: bigint, tenantNumber: number): Buffer {
  const { series, timesMs, values, startsMs, cache } = buffer;
  const out = Buffer.allocUnsafe(rows.length * MAX_ROW_BYTES);
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  const words = wordsOf(values);
  const flushHigh = Number(flush >> 32n);
  const flushLow = Number(flush & 0xffff_ffffn);
  let at = 0;
  let last = -1;
  let idHigh = 0;
  let idLow = 0;
  const eight = (high: number, low: number) => {
    view.setInt32(at, 8);
    view.setInt32(at + 4, high);
    view.setUint32(at + 8, low);
    at += 12;
  };
  for (const row of rows) {
    if (series[row] !== last) {
      last = series[row] as number;
      const id = cache.at(last).id as bigint;
      idHigh = Number(id >> 32n);
      idLow = Number(id & 0xffff_ffffn);
    }
    view.setInt16(at, 6);
    at += 2;
    const timeMs = timesMs[row] as number;
    eight(Math.floor(timeMs / 2 ** 32), timeMs >>> 0);
    eight((words[2 * row + 1] as number) | 0, words[2 * row] as number);
    eight(idHigh, idLow);
    eight(flushHigh, flushLow);
    const startMs = startsMs[row] as number;
    if (startMs === 0) {
      view.setInt32(at, -1);
      at += 4;
    } else eight(Math.floor(startMs / 2 ** 32), startMs >>> 0);
    view.setInt32(at, 4);
    view.setInt32(at + 4, tenantNumber);
    at += 8;
  }
  return out.subarray(0, at);
}
