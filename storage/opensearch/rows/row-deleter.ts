import type { Logger } from "@sightline/model/logger.ts";
import type { Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import type { BulkItem, BulkWriter } from "./bulk-writer.ts";
import { type DeletionRecord, DeletionRecords } from "./deletion-records.ts";
import type { IndexNames } from "./index-names.ts";
import { areOthersWriting } from "./other-writers.ts";
import type { Row, RowCodec, RowFilter } from "./row-codec.ts";
import { createAction, rowOfSource } from "./row-document.ts";
import { type RowSearch, type StoredDocument, searchRows, type Visibility } from "./search-rows.ts";
import type { StoreMetrics } from "./store-metrics.ts";
import { Turn } from "./turn.ts";

export type RowDeleterOptions<Batch extends { readonly length: number }, R extends Row> = {
  readonly connection: OpenSearchConnection;
  readonly bulk: BulkWriter;
  readonly names: IndexNames;
  readonly codec: RowCodec<Batch, R>;
  readonly writer: string;
  readonly logger: Logger;
  readonly metrics: StoreMetrics;
  /** How long a deletion can be cancelled. */
  readonly graceMs: number;
  readonly nowMs: () => number;
  /** Settles when other processes have written what they had in memory when it was called. */
  readonly untilOthersWrote: (signal: AbortSignal) => Promise<void>;
};

type Trashed = { readonly _id: string; readonly _source: { readonly order: number; readonly row: object } };

const PAGE_ROWS = 1_000;
const REMOVE_TIMEOUT_MS = 300_000;
const NOT_FOUND = 404;
/** Rows that waited longer to be written, as in an outage, are not found. */
const LATE_MS = 600_000;

/**
 * Deletes rows in two steps: they are moved to another index, where no query looks, and when the time to cancel is over they
 * are removed from there. Queries need not know of any of it. Must not run beside itself.
 */
export class RowDeleter<Batch extends { readonly length: number }, R extends Row> {
  readonly #options: RowDeleterOptions<Batch, R>;
  readonly #records: DeletionRecords;

  constructor(options: RowDeleterOptions<Batch, R>) {
    this.#options = options;
    this.#records = new DeletionRecords(options);
  }

  /** Of the rows that searches find now, and those that other processes have in memory. */
  async delete(
    request: RowDeletion,
    filter: RowFilter<R>,
    visibility: Visibility,
    signal: AbortSignal,
  ): Promise<Deletion> {
    const { connection, names, codec, metrics, writer, untilOthersWrote } = this.#options;
    const record = await this.#records.begin(request);
    const { tenant, range } = request;
    const search = { tenant, range, visibility, must: filter.must, mustNot: filter.mustNot };
    try {
      let rows = await this.#moveAll(record.id, search, filter, 0, signal);
      // Searches find what is noted there since the record was.
      if (await areOthersWriting(connection, names, { signal: codec.signal, writer })) {
        await untilOthersWrote(signal);
        const late = cameWithin(record.createdAtMs - LATE_MS, record.createdAtMs);
        const lateSearch = { ...search, must: [...search.must, late] };
        rows += await this.#moveAll(record.id, lateSearch, filter, rows, signal);
      }
      await this.#refresh(names.all, names.trash);
      metrics.deleted.inc(rows);
      return this.#records.deletionOf(await this.#records.finish(record, rows));
    } catch (error) {
      await this.#takeBack(record, error);
      throw error;
    }
  }

  /** Newest first. */
  list(tenant: TenantId): Promise<readonly Deletion[]> {
    return this.#records.list(tenant);
  }

  async cancel(tenant: TenantId, id: string): Promise<boolean> {
    const record = await this.#records.find(tenant, id);
    if (record?.state !== "hidden") return false;
    await this.#restore(record);
    return true;
  }

  /** Removes the rows of deletions that can't be cancelled any more. False when there are none. */
  async removeDue(): Promise<boolean> {
    const due = await this.#records.due();
    for (const record of due) {
      // From here on it can't be cancelled.
      const removing = await this.#records.change(record, "removing");
      await this.#emptyTrash(record.id);
      await this.#records.change(removing, "removed");
    }
    return due.length > 0;
  }

  /** Merges files that have removed rows: Lucene keeps those until then. May run beside anything. */
  async expunge(): Promise<void> {
    const { connection, names, logger } = this.#options;
    try {
      await connection.send("expunge", {
        method: "POST",
        path: `/${names.all},${names.trash}/_forcemerge`,
        query: { only_expunge_deletes: true, ignore_unavailable: true },
        timeoutMs: REMOVE_TIMEOUT_MS,
        accept: [NOT_FOUND],
      });
    } catch (error) {
      logger.warn("deleted rows stay in OpenSearch's files until it merges them by itself", { error });
    }
  }

  /** After a crash: rows of a deletion that nobody was told of come back, and what was being removed is removed. */
  async recover(): Promise<void> {
    for (const record of await this.#records.unfinished()) await this.#restore(record);
  }

  /** The same for what processes left behind that will not come back under their name. */
  async restoreAbandoned(): Promise<void> {
    for (const record of await this.#records.abandoned()) await this.#restore(record);
  }

  /** The number of rows moved. */
  async #moveAll(
    id: string,
    search: RowSearch,
    filter: RowFilter<R>,
    firstOrder: number,
    signal: AbortSignal,
  ): Promise<number> {
    const { connection, names, codec } = this.#options;
    const order = { newestFirst: true, limit: Number.MAX_SAFE_INTEGER };
    const turn = new Turn();
    let rows = 0;
    for await (const page of searchRows(connection, names.all, search, order, signal)) {
      const found: StoredDocument[] = [];
      for (const document of page) {
        if (filter.matches(rowOfSource(codec, document._source))) found.push(document);
        await turn.next(signal);
      }
      await this.#move(id, found, firstOrder + rows);
      rows += found.length;
    }
    return rows;
  }

  /** Copies first: a row is in one place at least. */
  async #move(id: string, documents: readonly StoredDocument[], firstOrder: number): Promise<void> {
    const { bulk, names } = this.#options;
    const copies = documents.map(({ _id, _source }, i): BulkItem => {
      const document = { deletion: id, order: firstOrder + i, row: _source };
      return { action: createAction(names.trash, `${id}-${_id}`), document: JSON.stringify(document) };
    });
    const { refused } = await bulk.write(copies);
    if (refused[0]) throw new Error(`a row can't be moved: ${refused[0].reason}`);
    const removals = documents.map(({ _id, _index }): BulkItem => {
      return { action: JSON.stringify({ delete: { _index, _id } }), document: undefined };
    });
    const { refused: kept } = await bulk.write(removals);
    if (kept[0]) throw new Error(`a row can't be deleted: ${kept[0].reason}`);
  }

  async #takeBack(record: DeletionRecord, reason: unknown): Promise<void> {
    try {
      await this.#restore(record);
    } catch (error) {
      const message = "a deletion failed half-way; its rows come back at the next start";
      this.#options.logger.error(message, { id: record.id, reason, error });
    }
  }

  async #restore(record: DeletionRecord): Promise<void> {
    const { bulk, names } = this.#options;
    await this.#refresh(names.trash);
    const dataStream = names.dataStreamOf(record.tenant);
    for await (const page of this.#trashed(record.id)) {
      const items = page.map(({ _id, _source }): BulkItem => {
        const action = createAction(dataStream, _id.slice(record.id.length + 1));
        return { action, document: JSON.stringify(_source.row) };
      });
      const { refused } = await bulk.write(items);
      if (refused[0]) throw new Error(`a deleted row can't be brought back: ${refused[0].reason}`);
    }
    await this.#refresh(names.all);
    await this.#emptyTrash(record.id);
    await this.#records.forget(record);
  }

  async *#trashed(id: string): AsyncGenerator<readonly Trashed[]> {
    const { connection, names } = this.#options;
    let after: number | undefined;
    for (;;) {
      const body = {
        size: PAGE_ROWS,
        query: { term: { deletion: id } },
        sort: [{ order: "asc" }],
        ...(after !== undefined && { search_after: [after] }),
      };
      const { body: answer } = await connection.send<{ readonly hits?: { readonly hits?: readonly Trashed[] } }>(
        "read deleted rows",
        { method: "POST", path: `/${names.trash}/_search`, query: { ignore_unavailable: true }, body },
      );
      const page = answer.hits?.hits ?? [];
      if (page.length > 0) yield page;
      after = page.at(-1)?._source.order;
      if (page.length < PAGE_ROWS) return;
    }
  }

  async #emptyTrash(id: string): Promise<void> {
    const { connection, names } = this.#options;
    await connection.send("remove deleted rows", {
      method: "POST",
      path: `/${names.trash}/_delete_by_query`,
      query: { ignore_unavailable: true, conflicts: "proceed", refresh: true },
      body: { query: { term: { deletion: id } } },
      timeoutMs: REMOVE_TIMEOUT_MS,
    });
  }

  async #refresh(...indexes: readonly string[]): Promise<void> {
    const path = `/${indexes.join()}/_refresh`;
    const query = { ignore_unavailable: true, allow_no_indices: true };
    await this.#options.connection.send("refresh", { method: "POST", path, query });
  }
}

/** Finds rows that were taken in then. */
function cameWithin(startMs: number, endMs: number): object {
  const [gte, lte] = [startMs, endMs].map((ms) => new Date(ms).toISOString());
  return { range: { ingested_at: { gte, lte } } };
}
