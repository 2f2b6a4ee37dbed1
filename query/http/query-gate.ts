import { UnavailableError } from "@sightline/model/errors.ts";
import { beginQuery } from "@sightline/model/loop-turns.ts";
import type { MemoryGate } from "@sightline/model/memory-part.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { Counter, Gauge, type Registry } from "prom-client";

export type QueryGateOptions = {
  readonly maxConcurrent: number;
  /** Of one tenant, so that there is always a place for somebody else's query. By default {@link maxConcurrent}. */
  readonly maxConcurrentPerTenant?: number | undefined;
  /** Of one tenant's, so many may be costly: the other places are for short ones. By default all. */
  readonly maxCostlyPerTenant?: number | undefined;
  /** Queries that may wait for their turn; more are refused. */
  readonly maxWaiting: number;
  readonly registry?: Registry | undefined;
  /** Asked before each query. */
  readonly memory?: MemoryGate | undefined;
};

type Waiter = {
  readonly enter: (place: Place) => void;
  readonly refuse: (reason: unknown) => void;
  readonly arrived: number;
  readonly isCostly: boolean;
};
/** Of a query that runs; `since` is of `performance.now()`. */
type Place = { readonly isCostly: boolean; readonly since: number };
/** Waiters in the order they came. There is an entry only for tenants with queries here. */
type Share = { readonly running: Set<Place>; readonly waiting: Set<Waiter> };

/** What runs for longer was costly after all. */
const MAX_LIGHT_MS = 500;

/**
 * Lets `query.max_concurrency` queries run at a time, over all APIs; the rest wait. A place that becomes free goes to the
 * tenant with the fewest running queries, and of those to who waits longest: many queries of one tenant delay each
 * other, not those of the next. Some places of a tenant are kept for queries that are likely short, so that these do
 * not wait for the long ones of the same dashboard.
 */
export class QueryGate {
  readonly #maxConcurrent: number;
  readonly #maxPerTenant: number;
  readonly #maxCostlyPerTenant: number;
  readonly #maxWaiting: number;
  readonly #memory: MemoryGate | undefined;
  readonly #shares = new Map<TenantId, Share>();
  #running = 0;
  #waiting = 0;
  #arrivals = 0;
  #lastEnd = Number.NEGATIVE_INFINITY;
  readonly #refused: Counter | undefined;

  constructor(options: QueryGateOptions) {
    const { registry, maxConcurrent, maxConcurrentPerTenant = maxConcurrent, maxWaiting, memory } = options;
    this.#maxConcurrent = maxConcurrent;
    this.#maxPerTenant = maxConcurrentPerTenant;
    this.#maxCostlyPerTenant = options.maxCostlyPerTenant ?? maxConcurrentPerTenant;
    this.#maxWaiting = maxWaiting;
    this.#memory = memory;
    if (!registry) return;
    const registers = [registry];
    this.#refused = new Counter({
      name: "sightline_queries_refused_total",
      help: "Queries refused because query.max_waiting others were waiting already",
      registers,
    });
    const running = () => this.#running;
    const waiting = () => this.#waiting;
    new Gauge({
      name: "sightline_queries_running",
      help: "Queries being evaluated",
      registers,
      collect() {
        this.set(running());
      },
    });
    new Gauge({
      name: "sightline_queries_waiting",
      help: "Queries waiting because query.max_concurrency others are running",
      registers,
      collect() {
        this.set(waiting());
      },
    });
  }

  /** For how many milliseconds no query has run: 0 while one does, infinity before the first. */
  get idleMs(): number {
    return this.#running > 0 ? 0 : performance.now() - this.#lastEnd;
  }

  /**
   * Runs a query when it is its turn; `isCostly` is what is expected of it. Throws `UnavailableError` when too many wait
   * already or memory is short, and the signal's reason when it aborts while waiting.
   */
  async run<T>(tenant: TenantId, signal: AbortSignal, query: () => Promise<T>, isCostly = false): Promise<T> {
    signal.throwIfAborted();
    this.#memory?.admit(0);
    const share = this.#shareOf(tenant);
    const mayRun = this.#running < this.#maxConcurrent && this.#mayRun(share, isCostly);
    const place = mayRun ? this.#enter(share, isCostly) : await this.#wait(tenant, share, signal, isCostly);
    const endQuery = beginQuery();
    try {
      return await query();
    } finally {
      endQuery();
      share.running.delete(place);
      this.#running--;
      this.#lastEnd = performance.now();
      this.#forgetIfIdle(tenant, share);
      this.#admitNext();
    }
  }

  #shareOf(tenant: TenantId): Share {
    let share = this.#shares.get(tenant);
    if (!share) {
      share = { running: new Set(), waiting: new Set() };
      this.#shares.set(tenant, share);
    }
    return share;
  }

  #mayRun({ running }: Share, isCostly: boolean): boolean {
    if (running.size >= this.#maxPerTenant) return false;
    if (!isCostly || running.size < this.#maxCostlyPerTenant) return true;
    const now = performance.now();
    let costly = 0;
    for (const place of running) if (place.isCostly || now - place.since > MAX_LIGHT_MS) costly++;
    return costly < this.#maxCostlyPerTenant;
  }

  #enter(share: Share, isCostly: boolean): Place {
    const place = { isCostly, since: performance.now() };
    share.running.add(place);
    this.#running++;
    return place;
  }

  /** Of those that may run now, the one that came first. */
  #firstOf(share: Share): Waiter | undefined {
    const mayLight = share.waiting.size > 0 && this.#mayRun(share, false);
    if (!mayLight) return undefined;
    const mayCostly = this.#mayRun(share, true);
    for (const waiter of share.waiting) if (mayCostly || !waiter.isCostly) return waiter;
    return undefined;
  }

  #admitNext(): void {
    if (this.#running >= this.#maxConcurrent) return;
    let best: { share: Share; waiter: Waiter } | undefined;
    for (const share of this.#shares.values()) {
      const waiter = this.#firstOf(share);
      if (!waiter) continue;
      const fewer = share.running.size - (best?.share.running.size ?? Number.POSITIVE_INFINITY);
      if (fewer < 0 || (fewer === 0 && waiter.arrived < (best as { waiter: Waiter }).waiter.arrived)) {
        best = { share, waiter };
      }
    }
    if (!best) return;
    best.waiter.enter(this.#enter(best.share, best.waiter.isCostly));
  }

  #wait(tenant: TenantId, share: Share, signal: AbortSignal, isCostly: boolean): Promise<Place> {
    if (this.#waiting >= this.#maxWaiting) this.#makeRoom(tenant, share);
    return new Promise((resolve, reject) => {
      const leave = () => {
        if (share.waiting.delete(waiter)) this.#waiting--;
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = () => waiter.refuse(signal.reason);
      const waiter: Waiter = {
        arrived: this.#arrivals++,
        isCostly,
        enter: (place) => {
          leave();
          resolve(place);
        },
        refuse: (reason) => {
          leave();
          this.#forgetIfIdle(tenant, share);
          reject(reason);
        },
      };
      share.waiting.add(waiter);
      this.#waiting++;
      signal.addEventListener("abort", onAbort);
    });
  }

  /** Refuses the newest query of the tenant that has most of them waiting: this one's, unless another has more. */
  #makeRoom(tenant: TenantId, share: Share): void {
    this.#refused?.inc();
    let largest = share;
    for (const other of this.#shares.values()) {
      if (other.waiting.size > Math.max(largest.waiting.size, share.waiting.size + 1)) largest = other;
    }
    const error = new UnavailableError(
      `${this.#maxConcurrent} queries are running (query.max_concurrency) and ${this.#maxWaiting} waiting (query.max_waiting)`,
      { retryAfterMs: 1_000 },
    );
    if (largest === share) {
      this.#forgetIfIdle(tenant, share);
      throw error;
    }
    [...largest.waiting].at(-1)?.refuse(error);
  }

  #forgetIfIdle(tenant: TenantId, share: Share): void {
    if (share.running.size === 0 && share.waiting.size === 0) this.#shares.delete(tenant);
  }
}
