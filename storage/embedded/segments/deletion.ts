import type { Deletion } from "@sightline/model/row-deletion.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

/** The rows of one segment that a deletion hides: a file of row numbers beside the segment's. */
export type DeletedRows = {
  readonly segment: number;
  readonly rows: number;
  readonly bytes: number;
  /** CRC-32 of the file. */
  readonly crc: number;
};

/** A deletion as the manifest keeps it. Times in ns are text. */
export type StoredDeletion = {
  readonly id: number;
  readonly tenant: TenantId;
  readonly description: string;
  readonly startNs: string;
  readonly endNs: string;
  readonly rows: number;
  readonly createdAtMs: number;
  readonly removeAtMs: number;
  /** Rows that are gone from the files: their segments were rewritten, or dropped. */
  readonly removedRows: number;
  /** Segments that still have rows of it. */
  readonly hidden: readonly DeletedRows[];
};

/** Those that are done are kept for the record; beyond so many the oldest are forgotten. */
const MAX_DONE = 1_000;

export function deletionOf(stored: StoredDeletion): Deletion {
  const { id, description, startNs, endNs, rows, createdAtMs, removeAtMs, hidden, removedRows } = stored;
  const state = hidden.length === 0 ? "removed" : removedRows > 0 ? "removing" : "hidden";
  const range = { startNs: BigInt(startNs), endNs: BigInt(endNs) };
  return { id: String(id), description, range, rows, createdAtMs, removeAtMs, state };
}

/** The deletions once these segments are gone. */
export function withoutSegments(
  deletions: readonly StoredDeletion[],
  dropped: ReadonlySet<number>,
): readonly StoredDeletion[] {
  return deletions.map((deletion) => {
    const hidden = deletion.hidden.filter(({ segment }) => !dropped.has(segment));
    if (hidden.length === deletion.hidden.length) return deletion;
    const gone = deletion.hidden.filter(({ segment }) => dropped.has(segment));
    const removedRows = deletion.removedRows + gone.reduce((sum, { rows }) => sum + rows, 0);
    return { ...deletion, hidden, removedRows };
  });
}

export function withoutOldest(deletions: readonly StoredDeletion[]): readonly StoredDeletion[] {
  const done = deletions.filter(({ hidden }) => hidden.length === 0);
  const forgotten = new Set(done.slice(0, Math.max(0, done.length - MAX_DONE)));
  return deletions.filter((deletion) => !forgotten.has(deletion));
}
