import type { LogRequest, LogStore } from "@sightline/model/log-store.ts";
import { DEFAULT_TENANT, type TenantId } from "@sightline/model/tenant.ts";
import { expect } from "vitest";
import { type LogRow, logBatchOf, logRowsOf } from "./log-batch-of.ts";

/** A store under test on data of its own. */
export type LogStoreFixture = {
  readonly store: LogStore;
  /** Abandons the newest store as `kill -9` would, without flushing, and opens what it kept. */
  reopen(): Promise<LogStore>;
  /** Merges files and the like, if the store does such things. */
  maintain?(): Promise<void>;
  dispose(): Promise<void>;
};

export const SECOND = 1_000_000_000n;
export const HOUR = 3_600n * SECOND;
export const NOW = BigInt(Date.now()) * 1_000_000n;
export const T = NOW - HOUR;
export const on = new AbortController().signal;

/** Rows are looked for in memory, on disk, and in both at once: the answers must not differ. */
export const PLACES = ["in memory", "flushed", "half flushed"] as const;
export type Write = (store: LogStore, rows: readonly LogRow[], tenant?: TenantId) => Promise<void>;

export function writer(where: (typeof PLACES)[number]): Write {
  return async (store, rows, tenant = DEFAULT_TENANT) => {
    const half = where === "half flushed" ? Math.ceil(rows.length / 2) : rows.length;
    await append(store, rows.slice(0, half), tenant);
    if (where !== "in memory") await store.flush();
    if (half < rows.length) await append(store, rows.slice(half), tenant);
  };
}

let position = 0;
/** Positions ascend over all stores of a test run. */
export function nextPosition(): number {
  return ++position;
}

export async function append(store: LogStore, rows: readonly LogRow[], tenant = DEFAULT_TENANT): Promise<void> {
  const result = await store.append(tenant, logBatchOf(rows), nextPosition());
  expect(result).toEqual({ accepted: rows.length, rejected: [] });
}

export async function select(store: LogStore, request: Partial<LogRequest> = {}): Promise<Required<LogRow>[]> {
  const all = {
    tenant: DEFAULT_TENANT,
    range: { startNs: NOW - 100n * HOUR, endNs: NOW + HOUR },
    matchers: [],
    line: [],
  };
  const { batches } = store.select({ ...all, newestFirst: true, limit: 10_000, ...request }, on);
  const rows: Required<LogRow>[] = [];
  for await (const batch of batches) rows.push(...logRowsOf(batch));
  return rows;
}

export const bodies = async (store: LogStore, request: Partial<LogRequest> = {}) =>
  (await select(store, request)).map(({ body }) => body).sort();
