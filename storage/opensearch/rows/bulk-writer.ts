import { setTimeout as sleep } from "node:timers/promises";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { OpenSearchConfig } from "../config.ts";
import { type OpenSearchConnection, RefusedError } from "../connection/open-search-connection.ts";

/** One line or two of a bulk request. */
export type BulkItem = {
  /** JSON: `{"create":{"_index":…,"_id":…}}`. */
  readonly action: string;
  /** JSON of the document; undefined for what has none. */
  readonly document: string | undefined;
};
export type RefusedItem = { readonly item: BulkItem; readonly reason: string };
/** What did not become durable because OpenSearch will never take it. */
export type BulkOutcome = { readonly refused: readonly RefusedItem[]; readonly retried: number };

export type BulkWriterOptions = {
  readonly connection: OpenSearchConnection;
  readonly config: OpenSearchConfig["bulk"];
};

type ItemAnswer = {
  readonly status: number;
  readonly error?: {
    readonly type: string;
    readonly reason: string;
    readonly caused_by?: { readonly reason?: string };
  };
};
type BulkAnswer = { readonly errors: boolean; readonly items: readonly Readonly<Record<string, ItemAnswer>>[] };

const MAX_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 100;
const CONFLICT = 409;
const NOT_FOUND = 404;

/**
 * Sends many small operations as few requests. Every operation must be one that may be carried out twice: items that the
 * cluster had no room for are sent again by themselves, and whole requests when their answer did not come.
 */
export class BulkWriter {
  readonly #options: BulkWriterOptions;

  constructor(options: BulkWriterOptions) {
    this.#options = options;
  }

  /** Durable when it settles. Throws `UnavailableError` when the cluster did not take all of it; part may have been taken. */
  async write(items: Iterable<BulkItem>, signal?: AbortSignal): Promise<BulkOutcome> {
    const refused: RefusedItem[] = [];
    let retried = 0;
    const requests = this.#requests(items);
    const work = async () => {
      for (const request of requests) retried += await this.#send(request, refused, signal);
    };
    await Promise.all(Array.from({ length: this.#options.config.concurrency }, work));
    return { refused, retried };
  }

  *#requests(items: Iterable<BulkItem>): Generator<readonly BulkItem[]> {
    const { max_rows, max_bytes } = this.#options.config;
    let request: BulkItem[] = [];
    let bytes = 0;
    for (const item of items) {
      const size = item.action.length + (item.document?.length ?? 0);
      if (request.length > 0 && (request.length >= max_rows || bytes + size > max_bytes)) {
        yield request;
        request = [];
        bytes = 0;
      }
      request.push(item);
      bytes += size;
    }
    if (request.length > 0) yield request;
  }

  /** Gives how many items had to be sent again. */
  async #send(request: readonly BulkItem[], refused: RefusedItem[], signal: AbortSignal | undefined): Promise<number> {
    let items = request;
    let retried = 0;
    for (let attempt = 1; ; attempt++) {
      const { again, reason } = await this.#try(items, refused, signal);
      if (again.length === 0) return retried;
      if (attempt === MAX_ATTEMPTS) {
        const message = `OpenSearch did not take ${again.length} of ${request.length} items: ${reason}`;
        throw new UnavailableError(message, { retryAfterMs: FIRST_PAUSE_MS * 2 ** attempt });
      }
      retried += again.length;
      items = again;
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, { signal });
    }
  }

  async #try(
    items: readonly BulkItem[],
    refused: RefusedItem[],
    signal: AbortSignal | undefined,
  ): Promise<{ readonly again: readonly BulkItem[]; readonly reason: string }> {
    let answer: BulkAnswer;
    try {
      ({ body: answer } = await this.#options.connection.send<BulkAnswer>(
        "bulk",
        { method: "POST", path: "/_bulk", query: FILTER, body: bytesOf(items), isBulk: true },
        signal,
      ));
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      // Too large for the cluster, or with something in it that spoils the rest.
      if (items.length === 1) {
        refused.push({ item: items[0] as BulkItem, reason: error.message });
        return DONE;
      }
      const half = items.length >> 1;
      const parts = [items.slice(0, half), items.slice(half)];
      for (const part of parts) await this.#send(part, refused, signal);
      return DONE;
    }
    return answer.errors ? sortOut(items, answer, refused) : DONE;
  }
}

const FILTER = { filter_path: "errors,items.*.status,items.*.error" };
const DONE = { again: [], reason: "" };

/** In UTF-8, which the client would count and write one after the other. */
function bytesOf(items: readonly BulkItem[]): Buffer {
  let text = "";
  for (const { action, document } of items) text += document === undefined ? `${action}\n` : `${action}\n${document}\n`;
  return Buffer.from(text);
}

function sortOut(items: readonly BulkItem[], answer: BulkAnswer, refused: RefusedItem[]) {
  const again: BulkItem[] = [];
  let reason = "";
  for (const [i, outcome] of answer.items.entries()) {
    const item = items[i] as BulkItem;
    const [operation, { status, error }] = Object.entries(outcome)[0] as [string, ItemAnswer];
    // There already, or gone already: an earlier try got through.
    if (error === undefined || status === CONFLICT || (operation === "delete" && status === NOT_FOUND)) continue;
    const text = `${error.type}: ${error.reason}${error.caused_by?.reason ? ` (${error.caused_by.reason})` : ""}`;
    if (isPassing(status, error.type)) {
      again.push(item);
      reason = text;
    } else refused.push({ item, reason: text });
  }
  return { again, reason };
}

/** Full queues and disks, shards that are moving, an index that is about to be there. */
function isPassing(status: number, type: string): boolean {
  return status === 429 || status >= 500 || type === "cluster_block_exception" || type === "index_not_found_exception";
}
