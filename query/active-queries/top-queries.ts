import type { TenantId } from "@sightline/model/tenant.ts";
import type { TypicalCost } from "../http/expected-cost.ts";
import type { QueryEnd, QueryStart } from "./query-record.ts";

/** All runs of one text at one route. */
export type TopQuery = {
  readonly tenant: TenantId;
  readonly route: string;
  readonly text: string;
  count: number;
  errors: number;
  totalMs: number;
  maxMs: number;
  samples: number;
  peakSamples: number;
  cachedSteps: number;
  lastAtMs: number;
};
export type TopOrder = "time" | "samples" | "count";

const MEASURES: Readonly<Record<TopOrder, (query: TopQuery) => number>> = {
  time: ({ totalMs }) => totalMs,
  samples: ({ samples }) => samples,
  count: ({ count }) => count,
};

/**
 * The queries that cost most, of the last one to two windows. Keeps at most `maxEntries` texts a window: when there are
 * more, the one that took least time so far is forgotten, so that a text that costs much comes back and stays.
 */
export class TopQueries {
  readonly #maxEntries: number;
  readonly #windowMs: number;
  #current = new Map<string, TopQuery>();
  #before = new Map<string, TopQuery>();
  #windowStartMs = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly maxEntries: number; readonly windowMs: number }) {
    this.#maxEntries = options.maxEntries;
    this.#windowMs = options.windowMs;
  }

  add({ start, startedAtMs, queuedMs, runMs, usage, error }: QueryEnd): void {
    const nowMs = startedAtMs + queuedMs + runMs;
    this.#turnOver(nowMs);
    const key = keyOf(start);
    let entry = this.#current.get(key);
    if (!entry) {
      if (this.#current.size >= this.#maxEntries) this.#forgetCheapest();
      entry = emptyEntry(start);
      this.#current.set(key, entry);
    }
    merge(entry, {
      count: 1,
      errors: error === undefined ? 0 : 1,
      totalMs: runMs,
      maxMs: runMs,
      samples: usage.samples,
      peakSamples: usage.peakSamples,
      cachedSteps: usage.cachedSteps,
      lastAtMs: nowMs,
    });
  }

  /** Of a tenant, most first; of equal ones the newest first. */
  list(tenant: TenantId, order: TopOrder, limit: number, nowMs: number): TopQuery[] {
    this.#turnOver(nowMs);
    const merged = new Map<string, TopQuery>();
    for (const window of [this.#before, this.#current]) {
      for (const [key, entry] of window) {
        if (entry.tenant !== tenant) continue;
        const known = merged.get(key);
        if (known) merge(known, entry);
        else merged.set(key, { ...entry });
      }
    }
    const measure = MEASURES[order];
    return [...merged.values()].sort((a, b) => measure(b) - measure(a) || b.lastAtMs - a.lastAtMs).slice(0, limit);
  }

  /** Of the runs that are remembered of a query, the mean. */
  typical(query: QueryStart): TypicalCost | undefined {
    const key = keyOf(query);
    const entry = this.#current.get(key) ?? this.#before.get(key);
    return entry && { samples: entry.samples / entry.count, ms: entry.totalMs / entry.count };
  }

  #turnOver(nowMs: number): void {
    if (nowMs < this.#windowStartMs + this.#windowMs) return;
    const isNext = nowMs < this.#windowStartMs + 2 * this.#windowMs;
    this.#before = isNext ? this.#current : new Map();
    this.#current = new Map();
    this.#windowStartMs = nowMs - (nowMs % this.#windowMs);
  }

  #forgetCheapest(): void {
    let cheapest: string | undefined;
    let leastMs = Number.POSITIVE_INFINITY;
    for (const [key, { totalMs }] of this.#current) {
      if (totalMs >= leastMs) continue;
      cheapest = key;
      leastMs = totalMs;
    }
    if (cheapest !== undefined) this.#current.delete(cheapest);
  }
}

type Costs = Omit<TopQuery, "tenant" | "route" | "text">;

function merge(entry: TopQuery, more: Costs): void {
  entry.count += more.count;
  entry.errors += more.errors;
  entry.totalMs += more.totalMs;
  entry.maxMs = Math.max(entry.maxMs, more.maxMs);
  entry.samples += more.samples;
  entry.peakSamples = Math.max(entry.peakSamples, more.peakSamples);
  entry.cachedSteps += more.cachedSteps;
  entry.lastAtMs = Math.max(entry.lastAtMs, more.lastAtMs);
}

function emptyEntry({ tenant, route, text }: QueryStart): TopQuery {
  const costs = { count: 0, errors: 0, totalMs: 0, maxMs: 0, samples: 0, peakSamples: 0, cachedSteps: 0, lastAtMs: 0 };
  return { tenant, route, text, ...costs };
}

function keyOf({ tenant, route, text }: QueryStart): string {
  return `${tenant}\u0000${route}\u0000${text}`;
}
