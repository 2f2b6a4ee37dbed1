import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { LogCountRequest } from "@sightline/model/log-store.ts";
import type { HotBatch } from "../segments/hot-buffer.ts";
import type { CountGroups } from "./count-groups.ts";
import { HotLabel, streamLabelReader } from "./hot-label.ts";
import type { LogScope } from "./log-scope.ts";
import { matchingRows } from "./matching-rows.ts";

/** Counts rows of a batch in memory. False when that can't be done exactly, or makes too many groups. */
export async function countHotRows(
  hot: HotBatch<LogBatch>,
  request: LogCountRequest,
  scope: LogScope,
  groups: CountGroups,
): Promise<boolean> {
  const { batch } = hot;
  const { rows, isSure } = await matchingRows(hot, scope);
  if (!isSure) return false;
  const labels = request.by.map((name) => new HotLabel(name, batch, streamLabelReader(name)));
  const bucketOf = bucketsOf(batch.timesNs, request);
  for (const row of rows) {
    const values: string[] = [];
    for (const label of labels) {
      const value = label.read(row);
      if (value === undefined) return false;
      values.push(value);
    }
    const bytes = request.withBytes ? Buffer.byteLength(batch.bodies[row] as string) : 0;
    if (!groups.add(values, bucketOf(row), 1, bytes)) return false;
  }
  if (scope.breather.due) await scope.pause();
  return true;
}

const TWO_TO_32 = 2 ** 32;

/** The bucket of a row, without a bigint for each where numbers are exact. */
function bucketsOf(timesNs: BigInt64Array, { range, bucketNs }: LogCountRequest): (row: number) => number {
  const { startNs, endNs } = range;
  if (endNs - startNs > BigInt(Number.MAX_SAFE_INTEGER)) {
    return (row) => Number(((timesNs[row] as bigint) - startNs) / bucketNs);
  }
  const words = new Int32Array(timesNs.buffer, timesNs.byteOffset, 2 * timesNs.length);
  const high = Number(BigInt.asIntN(32, startNs >> 32n));
  const low = Number(BigInt.asUintN(32, startNs));
  const length = Number(bucketNs);
  return (row) => {
    const delta = ((words[2 * row + 1] as number) - high) * TWO_TO_32 + ((words[2 * row] as number) >>> 0) - low;
    return Math.floor(delta / length);
  };
}
