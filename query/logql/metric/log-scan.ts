import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { LogRequest } from "@sightline/model/log-store.ts";
import type { LogReader } from "../log-reader.ts";
import type { QueryBudget } from "./query-budget.ts";

/** What a query has read so far. */
export class ScanCounts {
  linesProcessed = 0;
  /** Of their bodies, in UTF-8. */
  bytesProcessed = 0;
  linesMatched = 0;
}

/** How many records are looked at before others may get a turn, if they are neither long nor hard to read. */
const ROWS_PER_TURN = 500;
/** Longer lines get a turn each. */
const CHARACTERS_PER_TURN = 1_000_000;
/** How often the clock is looked at: a stage may take milliseconds for a line. */
const ROWS_PER_LOOK = 16;

export type ScanOptions = {
  readonly store: LogReader;
  readonly request: LogRequest;
  readonly signal: AbortSignal;
  readonly budget: QueryBudget;
  readonly counts: ScanCounts;
};

/** Takes a row; false when no more are needed. `isExact`: the store has applied all that it was given. */
export type RowVisitor = (batch: LogBatch, row: number, isExact: boolean) => boolean;

/** Visits the rows that the store has for the request, in its order, with pauses in which others work. */
export async function scanRows({ store, request, signal, budget, counts }: ScanOptions, visit: RowVisitor) {
  const { startNs, endNs } = request.range;
  if (endNs <= startNs) return;
  const selection = store.select(request, signal);
  for await (const batch of selection.batches) {
    let row = 0;
    while (row < batch.length) {
      const end = Math.min(row + ROWS_PER_TURN, batch.length);
      const first = row;
      for (let characters = 0; row < end && characters < CHARACTERS_PER_TURN; row++) {
        if ((row - first) % ROWS_PER_LOOK === ROWS_PER_LOOK - 1 && budget.isTired) break;
        const line = batch.bodies[row] as string;
        characters += line.length;
        counts.linesProcessed++;
        counts.bytesProcessed += Buffer.byteLength(line);
        if (!visit(batch, row, selection.exact)) return;
      }
      budget.look(row - first);
      await budget.rest();
    }
  }
}
