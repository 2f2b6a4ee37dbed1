import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { TimeRangeNs } from "@sightline/model/ports.ts";
import type { Breather } from "../segments/breather.ts";
import type { HotBatch } from "../segments/hot-buffer.ts";
import { pickLogRows } from "./log-batch-rows.ts";
import type { LogSource } from "./log-source.ts";

/** What a query wants of rows in memory. */
export type HotLogQuery = {
  readonly range: TimeRangeNs;
  readonly matchesStream: (stream: LogBatch["streams"][number]) => boolean;
  readonly matchesLine: ((body: string) => boolean) | undefined;
  readonly newestFirst: boolean;
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly breather: Breather;
};

const ROWS_BETWEEN_LOOKS_AT_THE_CLOCK = 64;

export function hotLogSource({ batch, minNs, maxNs }: HotBatch<LogBatch>, query: HotLogQuery): LogSource {
  return {
    firstNs: query.newestFirst ? maxNs : minNs,
    async *open() {
      const rows = await matchingRows(batch, query);
      if (rows.length === 0) return;
      const ordered = inTimeOrder(batch.timesNs, rows);
      if (query.newestFirst) ordered.reverse();
      yield pickLogRows(batch, ordered.length > query.limit ? ordered.slice(0, query.limit) : ordered);
    },
  };
}

/** In the order of the batch. */
async function matchingRows(batch: LogBatch, query: HotLogQuery): Promise<Uint32Array> {
  const { range, matchesLine, breather, signal } = query;
  const wanted = batch.streams.map(query.matchesStream);
  if (!wanted.includes(true)) return new Uint32Array(0);
  const rows = new Uint32Array(batch.length);
  let count = 0;
  for (let row = 0; row < batch.length; row++) {
    if (row % ROWS_BETWEEN_LOOKS_AT_THE_CLOCK === 0 && breather.due) {
      await breather.pause();
      signal.throwIfAborted();
    }
    if (!wanted[batch.streamRefs[row] as number]) continue;
    const time = batch.timesNs[row] as bigint;
    if (time < range.startNs || time >= range.endNs) continue;
    if (matchesLine && !matchesLine(batch.bodies[row] as string)) continue;
    rows[count++] = row;
  }
  return rows.slice(0, count);
}

/** Sorts `rows` by time, ascending; most batches are sorted already. */
function inTimeOrder(timesNs: BigInt64Array, rows: Uint32Array): Uint32Array {
  let sorted = true;
  for (let i = 1; i < rows.length && sorted; i++) {
    sorted = (timesNs[rows[i - 1] as number] as bigint) <= (timesNs[rows[i] as number] as bigint);
  }
  return sorted ? rows : rows.sort((a, b) => Number((timesNs[a] as bigint) - (timesNs[b] as bigint)));
}
