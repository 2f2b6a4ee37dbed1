import type { LogBatch } from "@sightline/model/log-batch.ts";
import { type Before, ClosedLogSources, type OpenedLogSource } from "./closed-log-sources.ts";
import { LogBatchBuilder, StreamInterner } from "./log-batch-builder.ts";
import { pickLogRows } from "./log-batch-rows.ts";
import type { LogSource } from "./log-source.ts";

type Cursor = { readonly source: LogSource; readonly rest: AsyncGenerator<LogBatch>; batch: LogBatch; row: number };

/** A longer run of one source is passed on as it is; shorter ones are collected into batches of about so many rows. */
const RUN_ROWS = 256;
const BATCH_ROWS = 2_048;

/**
 * Merges sources by time, at most `limit` rows that are sure. A source is opened only when its first row may be the next one, so
 * with a limit the older segments are never read.
 */
export async function* mergeLogSources(
  sources: readonly LogSource[],
  newestFirst: boolean,
  limit: number,
): AsyncGenerator<LogBatch> {
  const before: Before = newestFirst ? (a, b) => a > b : (a, b) => a < b;
  const closed = new ClosedLogSources(sources, before);
  const open = new CursorHeap(before);
  const builder = new LogBatchBuilder(new StreamInterner());
  let left = limit;
  /** It is not in the heap while rows of it are given out, after which nobody may ask for more. */
  let cursor: Cursor | undefined;
  try {
    while (left > 0) {
      for (let opened = await closed.open(open.topTime); opened; opened = await closed.open(open.topTime)) {
        await advance(open, opened, opened.first);
      }
      cursor = open.pop();
      if (!cursor) break;
      const end = Math.min(runEnd(cursor, earlier(open.topTime, closed.firstNs, before), before), cursor.row + left);
      if (cursor.source.isSure) left -= end - cursor.row;
      if (end - cursor.row >= RUN_ROWS) {
        if (builder.length > 0) yield builder.take();
        yield sliceLogRows(cursor.batch, cursor.row, end);
      } else {
        builder.add(cursor.batch, cursor.row, end);
        if (builder.length >= BATCH_ROWS) yield builder.take();
      }
      cursor.row = end;
      if (end < cursor.batch.length) open.push(cursor);
      else await advance(open, cursor, cursor.rest.next());
    }
    if (builder.length > 0) yield builder.take();
  } finally {
    const opened = [...open.cursors, ...(cursor ? [cursor] : [])];
    await Promise.all([closed.close(), ...opened.map(({ rest }) => rest.return(undefined))]);
  }
}

async function advance(
  open: CursorHeap,
  { source, rest }: Pick<OpenedLogSource, "source" | "rest">,
  next: OpenedLogSource["first"],
): Promise<void> {
  const { value, done } = await next;
  if (!done) open.push({ source, rest, batch: value, row: 0 });
}

function earlier(a: bigint | undefined, b: bigint | undefined, before: Before): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return before(a, b) ? a : b;
}

/** The end of the rows that come before `barrier`, the first at least. */
function runEnd({ batch, row }: Cursor, barrier: bigint | undefined, before: Before): number {
  if (barrier === undefined) return batch.length;
  let end = row + 1;
  while (end < batch.length && !before(barrier, batch.timesNs[end] as bigint)) end++;
  return end;
}

function sliceLogRows(batch: LogBatch, from: number, to: number): LogBatch {
  if (from === 0 && to === batch.length) return batch;
  const rows = new Uint32Array(to - from);
  for (let i = 0; i < rows.length; i++) rows[i] = from + i;
  return pickLogRows(batch, rows);
}

/** A binary heap: thousands of hot batches may overlap in time. */
class CursorHeap {
  readonly cursors: Cursor[] = [];
  readonly #before: Before;

  constructor(before: Before) {
    this.#before = before;
  }

  get topTime(): bigint | undefined {
    return this.cursors[0] && timeOf(this.cursors[0]);
  }

  push(cursor: Cursor): void {
    const heap = this.cursors;
    let child = heap.push(cursor) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  pop(): Cursor | undefined {
    const heap = this.cursors;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    heap[0] = last;
    let parent = 0;
    for (;;) {
      let first = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && this.#isBefore(child, first)) first = child;
      }
      if (first === parent) return top;
      this.#swap(first, parent);
      parent = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    return this.#before(timeOf(this.cursors[a] as Cursor), timeOf(this.cursors[b] as Cursor));
  }

  #swap(a: number, b: number): void {
    const cursor = this.cursors[a] as Cursor;
    this.cursors[a] = this.cursors[b] as Cursor;
    this.cursors[b] = cursor;
  }
}

function timeOf({ batch, row }: Cursor): bigint {
  return batch.timesNs[row] as bigint;
}
