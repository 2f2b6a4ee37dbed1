import { Breather } from "./breather.ts";
import type { HotBatch } from "./hot-buffer.ts";
import { dayOf } from "./segment.ts";
import type { RowPart, SegmentCodec } from "./segment-codec.ts";

/** The rows of one segment to be. */
export type DayParts<Batch> = {
  readonly parts: readonly RowPart<Batch>[];
  readonly extent: { readonly day: number; readonly minNs: bigint; readonly maxNs: bigint; readonly rows: number };
};

/** Groups rows by the day of their event time. */
export async function partsByDay<Batch>(
  hot: readonly HotBatch<Batch>[],
  codec: Pick<SegmentCodec<Batch, unknown>, "timesOf">,
): Promise<readonly DayParts<Batch>[]> {
  const breather = new Breather({ isBackground: true });
  const days = new Map<number, { parts: RowPart<Batch>[]; minNs: bigint; maxNs: bigint; rows: number }>();
  for (const { batch, rows: length, minNs, maxNs } of hot) {
    const oneDay = dayOf(minNs) === dayOf(maxNs);
    const rowsByDay = oneDay ? new Map([[dayOf(minNs), allRows(length)]]) : splitByDay(codec.timesOf(batch), length);
    for (const [day, rows] of rowsByDay) {
      const extent = oneDay ? { minNs, maxNs } : extentOf(codec.timesOf(batch), rows);
      const known = days.get(day);
      if (!known) {
        days.set(day, { parts: [{ batch, rows }], ...extent, rows: rows.length });
        continue;
      }
      known.parts.push({ batch, rows });
      known.rows += rows.length;
      if (extent.minNs < known.minNs) known.minNs = extent.minNs;
      if (extent.maxNs > known.maxNs) known.maxNs = extent.maxNs;
    }
    if (breather.due) await breather.pause();
  }
  return [...days].map(([day, { parts, minNs, maxNs, rows }]) => ({ parts, extent: { day, minNs, maxNs, rows } }));
}

function allRows(length: number): Uint32Array {
  const rows = new Uint32Array(length);
  for (let i = 0; i < length; i++) rows[i] = i;
  return rows;
}

function splitByDay(timesNs: BigInt64Array, length: number): ReadonlyMap<number, Uint32Array> {
  const byDay = new Map<number, number[]>();
  for (let row = 0; row < length; row++) {
    const day = dayOf(timesNs[row] as bigint);
    const rows = byDay.get(day);
    if (rows) rows.push(row);
    else byDay.set(day, [row]);
  }
  return new Map([...byDay].map(([day, rows]) => [day, Uint32Array.from(rows)]));
}

function extentOf(timesNs: BigInt64Array, rows: Uint32Array): { minNs: bigint; maxNs: bigint } {
  let minNs = timesNs[rows[0] as number] as bigint;
  let maxNs = minNs;
  for (const row of rows) {
    const time = timesNs[row] as bigint;
    if (time < minNs) minNs = time;
    if (time > maxNs) maxNs = time;
  }
  return { minNs, maxNs };
}
