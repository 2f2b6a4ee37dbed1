import type { Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { writeDeletedRows } from "./deleted-rows-file.ts";
import { type DeletedRows, deletionOf, type StoredDeletion } from "./deletion.ts";
import type { DuckDatabase } from "./duck-database.ts";
import type { Segment, SegmentDirectory } from "./segment-directory.ts";

/** Numbers of the rows of a segment that are to go, some at a time. */
export type FindRows = (segment: Segment) => AsyncIterable<readonly number[]>;

export type RowDeleterOptions = {
  readonly database: DuckDatabase;
  readonly directory: SegmentDirectory;
  /** How long a deletion can be cancelled. */
  readonly graceMs: number;
  readonly nowMs: () => number;
};

/**
 * Deletes rows of segments in two steps: their numbers are written to files beside the segments, and from then on no
 * query sees them; when the time to cancel is over the segments are written anew without them. It must not run beside
 * a flush or a compaction.
 */
export class RowDeleter {
  readonly #options: RowDeleterOptions;
  /** Never used again, also when its deletion is cancelled: what somebody has read or kept goes by the name of the file. */
  #lastId = 0;

  constructor(options: RowDeleterOptions) {
    this.#options = options;
  }

  /** Of the rows that are in segments now. */
  async delete({ tenant, range, description }: RowDeletion, find: FindRows): Promise<Deletion> {
    const { directory, graceMs } = this.#options;
    this.#lastId = 1 + directory.deletions.reduce((newest, deletion) => Math.max(newest, deletion.id), this.#lastId);
    const id = this.#lastId;
    const createdAtMs = this.#options.nowMs();
    const segments = directory
      .segmentsOf(tenant)
      .filter(({ info }) => info.maxNs >= range.startNs && info.minNs < range.endNs);
    directory.hold(segments);
    try {
      const hidden: DeletedRows[] = [];
      for (const segment of segments) {
        const rows = await this.#write(segment, id, find);
        if (rows) hidden.push(rows);
      }
      const stored: StoredDeletion = {
        id,
        tenant,
        description,
        startNs: String(range.startNs),
        endNs: String(range.endNs),
        rows: hidden.reduce((sum, { rows }) => sum + rows, 0),
        createdAtMs,
        removeAtMs: createdAtMs + graceMs,
        removedRows: 0,
        hidden,
      };
      await directory.change({ deletions: (deletions) => [...deletions, stored] });
      return deletionOf(stored);
    } finally {
      directory.release(segments);
    }
  }

  list(tenant: TenantId): readonly Deletion[] {
    const own = this.#options.directory.deletions.filter((deletion) => deletion.tenant === tenant);
    return own.map(deletionOf).reverse();
  }

  /** Files of the cancelled deletion are removed at the next start, for queries may still read them. */
  async cancel(tenant: TenantId, id: string): Promise<boolean> {
    const { directory } = this.#options;
    const found = this.list(tenant).find((deletion) => deletion.id === id);
    if (found?.state !== "hidden") return false;
    await directory.change({ deletions: (all) => all.filter((deletion) => String(deletion.id) !== id) });
    return true;
  }

  /** Segments that are to be written anew. */
  due(): readonly Segment[] {
    const { directory, nowMs } = this.#options;
    const due = new Set(directory.deletions.filter(({ removeAtMs }) => removeAtMs <= nowMs()).map(({ id }) => id));
    return directory.tenants
      .flatMap((tenant) => directory.segmentsOf(tenant))
      .filter(({ deleted }) => deleted.some(({ deletion }) => due.has(deletion)));
  }

  async #write(segment: Segment, id: number, find: FindRows): Promise<DeletedRows | undefined> {
    const { database, directory } = this.#options;
    const numbers: number[] = [];
    for await (const found of find(segment)) for (const number of found) numbers.push(number);
    if (numbers.length === 0) return undefined;
    const path = directory.deletedPath(segment.info.id, id);
    return { segment: segment.info.id, ...(await writeDeletedRows(database, path, numbers)) };
  }
}
