import { CancelledError, NotFoundError, SightlineError } from "@sightline/model/errors.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TypicalCost } from "../http/expected-cost.ts";
import type { QueryLog } from "./query-log.ts";
import { MAX_TEXT_LENGTH, type QueryStart, type QueryUsage } from "./query-record.ts";
import { type TopOrder, TopQueries, type TopQuery } from "./top-queries.ts";

export type QueryTrackerOptions = {
  readonly log?: QueryLog | undefined;
  readonly maxTopQueries: number;
  readonly topWindowMs: number;
  readonly nowMs?: () => number;
};

/** A query that waits or runs. Times are milliseconds. */
export type ActiveQuery = QueryStart & {
  readonly id: number;
  readonly startedAtMs: number;
  readonly state: "waiting" | "running";
  readonly elapsedMs: number;
};

type Tracked = {
  readonly start: QueryStart;
  readonly startedAtMs: number;
  readonly cancel: AbortController;
  /** Of `performance.now()`. */
  readonly arrived: number;
  entered: number | undefined;
};

/**
 * Knows the queries of all APIs that wait or run, and tells the log and the top list of those that are done. As many
 * are known as the gate lets wait and run.
 */
export class QueryTracker {
  readonly #log: QueryLog | undefined;
  readonly #top: TopQueries;
  readonly #nowMs: () => number;
  readonly #active = new Map<number, Tracked>();
  #nextId = 1;

  constructor(options: QueryTrackerOptions) {
    this.#log = options.log;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#top = new TopQueries({ maxEntries: options.maxTopQueries, windowMs: options.topWindowMs });
  }

  /**
   * Runs a query and keeps track of it; `query` fills in `usage`. {@link QueryTracker.cancel} aborts `cancel`. `query` is
   * handed a function to call when its turn has come, and what its earlier runs took.
   */
  async track<T>(
    asked: QueryStart,
    cancel: AbortController,
    usage: Readonly<QueryUsage>,
    query: (entered: () => void, typical: TypicalCost | undefined) => Promise<T>,
  ): Promise<T> {
    const id = this.#nextId++;
    const start = withinLength(asked);
    const tracked: Tracked = {
      start,
      startedAtMs: this.#nowMs(),
      cancel,
      arrived: performance.now(),
      entered: undefined,
    };
    this.#active.set(id, tracked);
    const entered = () => {
      tracked.entered = performance.now();
    };
    try {
      const result = await query(entered, this.#top.typical(start));
      this.#finished(tracked, usage, undefined);
      return result;
    } catch (error) {
      this.#finished(tracked, usage, error instanceof SightlineError ? error.name : "Bug");
      throw error;
    } finally {
      this.#active.delete(id);
    }
  }

  /** Those of a tenant, longest first. */
  active(tenant: TenantId): ActiveQuery[] {
    const now = performance.now();
    const active: ActiveQuery[] = [];
    for (const [id, { start, startedAtMs, arrived, entered }] of this.#active) {
      if (start.tenant !== tenant) continue;
      const state = entered === undefined ? "waiting" : "running";
      active.push({ ...start, id, startedAtMs, state, elapsedMs: now - arrived });
    }
    return active;
  }

  /** Stops a query of the tenant. Throws `NotFoundError` when there is none of that number. */
  cancel(tenant: TenantId, id: number): void {
    const tracked = this.#active.get(id);
    if (tracked?.start.tenant !== tenant) throw new NotFoundError(`no query ${id} is waiting or running`);
    tracked.cancel.abort(new CancelledError("the query was cancelled by request"));
  }

  top(tenant: TenantId, order: TopOrder, limit: number): TopQuery[] {
    return this.#top.list(tenant, order, limit, this.#nowMs());
  }

  #finished(tracked: Tracked, usage: Readonly<QueryUsage>, error: string | undefined): void {
    const { start, startedAtMs, arrived, entered } = tracked;
    const now = performance.now();
    const end = {
      start,
      startedAtMs,
      queuedMs: (entered ?? now) - arrived,
      runMs: entered === undefined ? 0 : now - entered,
      usage,
      error,
    };
    this.#top.add(end);
    this.#log?.write(end);
  }
}

function withinLength(start: QueryStart): QueryStart {
  const { text } = start;
  return text.length <= MAX_TEXT_LENGTH ? start : { ...start, text: `${text.slice(0, MAX_TEXT_LENGTH)}…` };
}
