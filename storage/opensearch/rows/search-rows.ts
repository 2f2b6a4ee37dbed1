import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import {
  type OpenSearchAnswer,
  type OpenSearchConnection,
  RefusedError,
} from "../connection/open-search-connection.ts";

/** A row as it is in OpenSearch. */
export type StoredDocument = {
  readonly _id: string;
  /** The index behind the data stream. */
  readonly _index: string;
  readonly _source: DocumentSource;
};
export type DocumentSource = Readonly<Record<string, unknown>> & {
  readonly time_ns: string;
  readonly position: number;
  readonly row: number;
  readonly writer: string;
};

/** What is visible of a writer's own rows: those up to the position. Later ones it has in memory. */
export type Visibility = { readonly writer: string; readonly untilPosition: number };

export type RowSearch = {
  readonly tenant: TenantId;
  readonly range: TimeRangeNs;
  readonly visibility: Visibility;
  readonly must: readonly object[];
  readonly mustNot: readonly object[];
};

const MIN_NS = -(2n ** 63n);
const MAX_NS = 2n ** 63n - 1n;
const FIRST_PAGE_ROWS = 500;
const MAX_PAGE_ROWS = 5_000;
/** What is parsed in one go: about 20 ms. */
const PAGE_BYTES = 2 * 1024 * 1024;
const ASSUMED_ROW_BYTES = 1_000;
const KEEP_ALIVE = "2m";
const NOT_FOUND = 404;

/**
 * The only place where a query's rows are limited to a tenant. `time_ns` is compared as a whole number, exactly; rows that
 * the asking writer has in memory are left out, so that it sees each of its rows once while they are being written.
 */
export function rowQuery({ tenant, range, visibility, must, mustNot }: RowSearch): object {
  const { writer, untilPosition } = visibility;
  const inMemory = { bool: { filter: [{ term: { writer } }, { range: { position: { gt: untilPosition } } }] } };
  const times = { gte: String(clamp(range.startNs)), lte: String(clamp(range.endNs - 1n)) };
  const isEmpty = range.endNs <= range.startNs || range.endNs <= MIN_NS || range.startNs > MAX_NS;
  return {
    bool: {
      filter: [{ term: { tenant } }, isEmpty ? { match_none: {} } : { range: { time_ns: times } }, ...must],
      must_not: [inMemory, ...mustNot],
    },
  };
}

function clamp(timeNs: bigint): bigint {
  return timeNs < MIN_NS ? MIN_NS : timeNs > MAX_NS ? MAX_NS : timeNs;
}

/** Asks for every shard's answer: part of the rows is no answer. */
export const SEARCH_OPTIONS = { ignore_unavailable: true, allow_no_indices: true, allow_partial_search_results: false };

/** A search that takes too long would take too long again. */
const ONE_RETRY = { maxRetries: 1 };

type SearchAnswer = { readonly hits?: { readonly hits?: readonly StoredDocument[] } };

/**
 * Rows page by page, in an order that is total: by time, then by writer and place in what it wrote. A second page begins a
 * point in time, so that indexes which are dropped meanwhile still answer; without one (clusters bound their number, nodes
 * restart) the order alone sees to it that no row comes twice.
 */
export async function* searchRows(
  connection: OpenSearchConnection,
  index: string,
  search: RowSearch,
  order: { readonly newestFirst: boolean; readonly limit: number },
  signal: AbortSignal,
): AsyncGenerator<readonly StoredDocument[]> {
  const query = rowQuery(search);
  const direction = order.newestFirst ? "desc" : "asc";
  const sort = [{ time_ns: direction }, { position: direction }, { row: direction }, { writer: direction }];
  let size = Math.min(FIRST_PAGE_ROWS, Math.max(1, order.limit));
  let after: readonly unknown[] | undefined;
  let pit: string | undefined;
  try {
    for (;;) {
      const body = { size, query, sort, track_total_hits: false, ...(after && { search_after: after }) };
      const found = await searchPage(connection, index, pit, body, signal);
      if (!found) {
        pit = undefined;
        continue;
      }
      const { body: answer, bytes } = found;
      const page = answer.hits?.hits ?? [];
      if (page.length > 0) yield page;
      const last = page.at(-1);
      if (page.length < size || !last) return;
      const { time_ns, position, row, writer } = last._source;
      after = [time_ns, position, row, writer];
      const rowBytes = bytes === undefined ? ASSUMED_ROW_BYTES : Math.max(1, bytes / page.length);
      size = Math.max(1, Math.min(MAX_PAGE_ROWS, 4 * size, Math.floor(PAGE_BYTES / rowBytes)));
      pit ??= await openPointInTime(connection, index, signal);
    }
  } finally {
    if (pit !== undefined) await closePointInTime(connection, pit);
  }
}

const HITS = "hits.hits._id,hits.hits._index,hits.hits._source";

/** Undefined when the point in time is gone, as after a restart of a node. */
async function searchPage(
  connection: OpenSearchConnection,
  index: string,
  pit: string | undefined,
  body: object,
  signal: AbortSignal,
): Promise<OpenSearchAnswer<SearchAnswer> | undefined> {
  const options = { ...ONE_RETRY, method: "POST" } as const;
  if (pit === undefined) {
    const query = { ...SEARCH_OPTIONS, filter_path: HITS };
    return connection.send("search", { ...options, path: `/${index}/_search`, query, body }, signal);
  }
  const query = { allow_partial_search_results: false, filter_path: HITS };
  const inTime = { ...body, pit: { id: pit, keep_alive: KEEP_ALIVE } };
  try {
    return await connection.send("search", { ...options, path: "/_search", query, body: inTime }, signal);
  } catch (error) {
    if (error instanceof RefusedError && error.status === NOT_FOUND) return undefined;
    throw error;
  }
}

async function openPointInTime(
  connection: OpenSearchConnection,
  index: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { body } = await connection.send<{ readonly pit_id: string }>(
      "open point in time",
      {
        method: "POST",
        path: `/${index}/_search/point_in_time`,
        query: { keep_alive: KEEP_ALIVE, expand_wildcards: "open" },
      },
      signal,
    );
    return body.pit_id;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Best effort: it ends by itself some time later. */
async function closePointInTime(connection: OpenSearchConnection, pit: string): Promise<void> {
  try {
    const request = { method: "DELETE", path: "/_search/point_in_time", body: { pit_id: [pit] } } as const;
    await connection.send("close point in time", request);
  } catch {
    // The cluster drops it after KEEP_ALIVE.
  }
}
