import type { Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import type { IndexNames } from "./index-names.ts";

/** A request to delete rows, as a document. Times in ns are text. */
export type DeletionRecord = {
  readonly id: string;
  /** Ascends with the time of the requests. */
  readonly seq: number;
  readonly signal: string;
  readonly tenant: TenantId;
  readonly writer: string;
  readonly description: string;
  readonly startNs: string;
  readonly endNs: string;
  readonly rows: number;
  readonly createdAtMs: number;
  readonly removeAtMs: number;
  /** hiding: rows are being moved, and nobody was told that they are gone. */
  readonly state: "hiding" | "hidden" | "removing" | "removed";
};

export type DeletionRecordsOptions = {
  readonly connection: OpenSearchConnection;
  readonly names: IndexNames;
  readonly codec: { readonly signal: string };
  readonly writer: string;
  readonly graceMs: number;
  readonly nowMs: () => number;
};

/** Of a tenant; older ones are not shown. */
const MAX_LISTED = 1_000;
const NOT_FOUND = 404;
/** Requests to delete take minutes at most. */
const ABANDONED_AFTER_MS = 3_600_000;

/** What is known of each request to delete rows. Searches find every change at once. */
export class DeletionRecords {
  readonly #options: DeletionRecordsOptions;
  #lastSeq = 0;

  constructor(options: DeletionRecordsOptions) {
    this.#options = options;
  }

  async begin({ tenant, range, description }: RowDeletion): Promise<DeletionRecord> {
    const { writer, graceMs, nowMs, codec } = this.#options;
    const createdAtMs = nowMs();
    this.#lastSeq = Math.max(this.#lastSeq + 1, createdAtMs * 1_000);
    const record: DeletionRecord = {
      id: `${writer}_${this.#lastSeq.toString(36)}`,
      seq: this.#lastSeq,
      signal: codec.signal,
      tenant,
      writer,
      description,
      startNs: String(range.startNs),
      endNs: String(range.endNs),
      rows: 0,
      createdAtMs,
      removeAtMs: createdAtMs + graceMs,
      state: "hiding",
    };
    await this.#put(record);
    return record;
  }

  async finish(record: DeletionRecord, rows: number): Promise<DeletionRecord> {
    const finished = { ...record, rows, state: rows === 0 ? ("removed" as const) : ("hidden" as const) };
    await this.#put(finished);
    return finished;
  }

  async change(record: DeletionRecord, state: DeletionRecord["state"]): Promise<DeletionRecord> {
    const changed = { ...record, state };
    await this.#put(changed);
    return changed;
  }

  async forget({ id }: DeletionRecord): Promise<void> {
    const request = { method: "DELETE", path: this.#path(id), query: { refresh: true }, accept: [NOT_FOUND] } as const;
    await this.#options.connection.send("forget deletion", request);
  }

  /** Undefined also for another tenant's. */
  async find(tenant: TenantId, id: string): Promise<DeletionRecord | undefined> {
    const request = { method: "GET", path: this.#path(id), accept: [NOT_FOUND] } as const;
    const { body } = await this.#options.connection.send<{ readonly _source?: DeletionRecord }>(
      "find deletion",
      request,
    );
    const record = body._source;
    return record?.tenant === tenant && record.signal === this.#options.codec.signal ? record : undefined;
  }

  async list(tenant: TenantId): Promise<readonly Deletion[]> {
    const records = await this.#search([{ term: { tenant } }, { terms: { state: ["hidden", "removing", "removed"] } }]);
    return records.map((record) => this.deletionOf(record));
  }

  /** Those that can't be cancelled any more and have rows. */
  async due(): Promise<readonly DeletionRecord[]> {
    const records = await this.#search([{ terms: { state: ["hidden", "removing"] } }]);
    return records.filter(({ removeAtMs }) => removeAtMs <= this.#options.nowMs());
  }

  /** Those of this writer that a crash left unfinished. */
  unfinished(): Promise<readonly DeletionRecord[]> {
    return this.#search([{ term: { writer: this.#options.writer } }, { term: { state: "hiding" } }]);
  }

  /** Those that nobody can still be at work on. */
  async abandoned(): Promise<readonly DeletionRecord[]> {
    const records = await this.#search([{ term: { state: "hiding" } }]);
    return records.filter(({ createdAtMs }) => createdAtMs <= this.#options.nowMs() - ABANDONED_AFTER_MS);
  }

  deletionOf({ id, description, startNs, endNs, rows, createdAtMs, removeAtMs, state }: DeletionRecord): Deletion {
    const range = { startNs: BigInt(startNs), endNs: BigInt(endNs) };
    return { id, description, range, rows, createdAtMs, removeAtMs, state: state === "hiding" ? "hidden" : state };
  }

  async #put(record: DeletionRecord): Promise<void> {
    const { connection } = this.#options;
    const body = { kind: "deletion", ...record };
    await connection.send("note deletion", {
      method: "PUT",
      path: this.#path(record.id),
      query: { refresh: true },
      body,
    });
  }

  async #search(filter: readonly object[]): Promise<readonly DeletionRecord[]> {
    const { connection, names, codec } = this.#options;
    const query = { bool: { filter: [{ term: { kind: "deletion" } }, { term: { signal: codec.signal } }, ...filter] } };
    const { body } = await connection.send<{
      readonly hits?: { readonly hits?: readonly { readonly _source: DeletionRecord }[] };
    }>("list deletions", {
      method: "POST",
      path: `/${names.state}/_search`,
      query: { ignore_unavailable: true },
      body: { size: MAX_LISTED, query, sort: [{ seq: "desc" }] },
    });
    return (body.hits?.hits ?? []).map(({ _source }) => _source);
  }

  #path(id: string): string {
    return `/${this.#options.names.state}/_doc/deletion-${encodeURIComponent(id)}`;
  }
}
