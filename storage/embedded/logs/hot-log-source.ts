import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { HotBatch } from "../segments/hot-buffer.ts";
import { pickLogRows } from "./log-batch-rows.ts";
import type { LogScope } from "./log-scope.ts";
import type { LogSource } from "./log-source.ts";
import { matchingRows } from "./matching-rows.ts";

/** What a query wants of rows in memory. */
export type HotLogQuery = {
  readonly scope: LogScope;
  readonly newestFirst: boolean;
  readonly limit: number;
};

export function hotLogSource(hot: HotBatch<LogBatch>, query: HotLogQuery): LogSource {
  const { batch, minNs, maxNs } = hot;
  const source = {
    firstNs: query.newestFirst ? maxNs : minNs,
    lastNs: query.newestFirst ? minNs : maxNs,
    mayOpenAhead: false,
    isSure: true,
    async *open() {
      const { rows, isSure } = await matchingRows(hot, query.scope);
      source.isSure = isSure;
      if (rows.length === 0) return;
      const ordered = inTimeOrder(batch.timesNs, rows);
      if (query.newestFirst) ordered.reverse();
      yield pickLogRows(batch, isSure && ordered.length > query.limit ? ordered.slice(0, query.limit) : ordered);
    },
  };
  return source;
}

/** Sorts `rows` by time, ascending; most batches are sorted already. */
function inTimeOrder(timesNs: BigInt64Array, rows: Uint32Array): Uint32Array {
  let sorted = true;
  for (let i = 1; i < rows.length && sorted; i++) {
    sorted = (timesNs[rows[i - 1] as number] as bigint) <= (timesNs[rows[i] as number] as bigint);
  }
  return sorted ? rows : rows.sort((a, b) => Number((timesNs[a] as bigint) - (timesNs[b] as bigint)));
}
