import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { HotBatch } from "../segments/hot-buffer.ts";
import { HotLabel, streamLabelReader } from "./hot-label.ts";
import type { LogScope } from "./log-scope.ts";

const ROWS_BETWEEN_LOOKS_AT_THE_CLOCK = 64;

/**
 * Rows of a batch in memory that a request is about, in the order of the batch. `isSure`: all of them meet its field
 * filters; else there are some of which that can't be said.
 */
export async function matchingRows(
  { batch, minNs, maxNs }: HotBatch<LogBatch>,
  scope: LogScope,
): Promise<{ readonly rows: Uint32Array; readonly isSure: boolean }> {
  const { range, matchesLine, breather } = scope;
  const wanted = batch.streams.map(scope.matchesStream);
  if (!wanted.includes(true)) return { rows: new Uint32Array(0), isSure: true };
  const fields = scope.fields.map(({ name, test }) => {
    return { label: new HotLabel(name, batch, streamLabelReader(name)), test };
  });
  const areAllInRange = minNs >= range.startNs && maxNs < range.endNs;
  const rows = new Uint32Array(batch.length);
  let count = 0;
  let isSure = true;
  row: for (let row = 0; row < batch.length; row++) {
    if (row % ROWS_BETWEEN_LOOKS_AT_THE_CLOCK === 0 && breather.due) await scope.pause();
    if (!wanted[batch.streamRefs[row] as number]) continue;
    if (!areAllInRange && !isInRange(batch.timesNs[row] as bigint, range)) continue;
    let isSureOfRow = true;
    for (const { label, test } of fields) {
      const value = label.read(row);
      if (value === undefined) isSureOfRow = false;
      else if (!test(value)) continue row;
    }
    if (matchesLine && !matchesLine(batch.bodies[row] as string)) continue;
    isSure &&= isSureOfRow;
    rows[count++] = row;
  }
  return { rows: rows.slice(0, count), isSure };
}

function isInRange(time: bigint, { startNs, endNs }: TimeRangeNs): boolean {
  return time >= startNs && time < endNs;
}
