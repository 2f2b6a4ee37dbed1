import type { Labels } from "@sightline/model/labels.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import type { IndexNames } from "./index-names.ts";
import {
  keepByLabels,
  longestKeepMs,
  longestOfAllMs,
  type RetentionPolicies,
  type RetentionPolicy,
} from "./retention-policies.ts";
import type { RowOrigin } from "./row-codec.ts";
import { SEARCH_OPTIONS } from "./search-rows.ts";
import type { StoreMetrics } from "./store-metrics.ts";
import { takeTurn } from "./take-turn.ts";

export type RowRetentionOptions = {
  readonly connection: OpenSearchConnection;
  readonly names: IndexNames;
  readonly codec: { readonly signal: "logs" | "traces"; readonly origin: RowOrigin };
  readonly policies: RetentionPolicies;
  readonly nowMs: () => number;
  readonly logger: Logger;
  readonly metrics: StoreMetrics;
};

/** Rows of some tenants that are kept by one policy. */
type Scope = { readonly query: object; readonly policy: RetentionPolicy };
type Origin = { readonly id: string; readonly labels: Labels; readonly oldestNs: bigint };
type OriginsAnswer = {
  readonly aggregations?: {
    readonly origins: {
      readonly after_key?: object;
      readonly buckets: readonly {
        readonly key: { readonly id: string };
        readonly one: {
          readonly hits: { readonly hits: readonly [{ readonly _source: object; readonly sort: [number] }] };
        };
      }[];
    };
  };
};

const INTERVAL_MS = 3_600_000;
const ORIGINS_PER_PAGE = 500;
/** OpenSearch's own work between two answers. */
const ROWS_PER_REQUEST = 20_000;
const REQUEST_TIMEOUT_MS = 300_000;

/**
 * Removes rows that are older than their tenant's policy allows, where that is shorter than indexes live: once an hour, by
 * one of the processes. Where rows come from decides, not the single row.
 */
export class RowRetention {
  readonly #options: RowRetentionOptions;

  constructor(options: RowRetentionOptions) {
    this.#options = options;
  }

  /** Does nothing where dropping indexes does it all, or somebody has done it within the hour. */
  async maintain(): Promise<void> {
    const { connection, names, codec, nowMs, logger, metrics } = this.#options;
    const scopes = this.#scopes();
    if (scopes.length === 0) return;
    const work = `retention-${codec.signal}`;
    if (!(await takeTurn(connection, names.state, work, { intervalMs: INTERVAL_MS, nowMs: nowMs() }))) return;
    let rows = 0;
    for (const scope of scopes) rows += await this.#enforce(scope);
    if (rows === 0) return;
    metrics.expiredRows.inc(rows);
    logger.info("removed rows that were older than their retention", { store: codec.signal, rows });
  }

  #scopes(): readonly Scope[] {
    const { policies } = this.#options;
    const { tenants, others } = policies;
    const longestMs = longestOfAllMs(policies);
    const ofTenant = (tenant: TenantId) => ({ query: { term: { tenant } }, policy: policies.of(tenant) });
    const ofOthers = { query: { bool: { must_not: [{ terms: { tenant: tenants } }] } }, policy: others };
    return [...tenants.map(ofTenant), ofOthers].filter(({ policy: { keepMs, rules } }) => {
      return keepMs < longestMs || rules.some(({ keep }) => keep < longestMs);
    });
  }

  /** The number of rows removed. */
  async #enforce({ query, policy }: Scope): Promise<number> {
    if (policy.rules.length === 0) return this.#remove([query], policy.keepMs);
    const { field } = this.#options.codec.origin;
    const unknown = { bool: { must_not: [{ exists: { field } }] } };
    let rows = await this.#remove([query, unknown], longestKeepMs(policy));
    const keepOf = keepByLabels(policy);
    const shortestMs = Math.min(policy.keepMs, ...policy.rules.map(({ keep }) => keep));
    for await (const origins of this.#origins({ bool: { filter: [query, this.#olderThan(shortestMs)] } })) {
      const byKeep = new Map<number, string[]>();
      for (const { id, labels, oldestNs } of origins) {
        const keepMs = keepOf(labels);
        if (oldestNs >= this.#oldestNs(keepMs)) continue;
        byKeep.set(keepMs, [...(byKeep.get(keepMs) ?? []), id]);
      }
      for (const [keepMs, ids] of byKeep) rows += await this.#remove([query, { terms: { [field]: ids } }], keepMs);
    }
    return rows;
  }

  async #remove(filter: readonly object[], keepMs: number): Promise<number> {
    const { connection, names } = this.#options;
    const query = { bool: { filter: [...filter, this.#olderThan(keepMs)] } };
    for (let rows = 0; ; ) {
      const { body } = await connection.send<{ readonly deleted: number }>("remove expired rows", {
        method: "POST",
        path: `/${names.all}/_delete_by_query`,
        query: {
          ignore_unavailable: true,
          allow_no_indices: true,
          conflicts: "proceed",
          refresh: true,
          max_docs: ROWS_PER_REQUEST,
        },
        body: { query },
        timeoutMs: REQUEST_TIMEOUT_MS,
      });
      rows += body.deleted;
      if (body.deleted < ROWS_PER_REQUEST) return rows;
    }
  }

  /** Where the rows that the query finds come from, and how old the oldest of each is. */
  async *#origins(query: object): AsyncGenerator<readonly Origin[]> {
    const { connection, names, codec } = this.#options;
    const { field, source, labelsOf } = codec.origin;
    const one = { top_hits: { size: 1, _source: source, sort: [{ time_ns: "asc" }] } };
    let after: object | undefined;
    do {
      const sources = [{ id: { terms: { field } } }];
      const composite = { size: ORIGINS_PER_PAGE, sources, ...(after && { after }) };
      const { body } = await connection.send<OriginsAnswer>("list origins", {
        method: "POST",
        path: `/${names.all}/_search`,
        query: SEARCH_OPTIONS,
        body: { size: 0, query, aggs: { origins: { composite, aggs: { one } } } },
      });
      const origins = body.aggregations?.origins;
      yield (origins?.buckets ?? []).map(({ key, one }): Origin => {
        const { _source, sort } = one.hits.hits[0];
        // JSON has lost the last digits: it may be a microsecond older.
        return { id: key.id, labels: labelsOf(_source), oldestNs: BigInt(sort[0]) - 1_000n };
      });
      after = origins?.after_key;
    } while (after);
  }

  #olderThan(keepMs: number): object {
    return { range: { time_ns: { lt: String(this.#oldestNs(keepMs)) } } };
  }

  #oldestNs(keepMs: number): bigint {
    return BigInt(Math.floor(this.#options.nowMs() - keepMs)) * 1_000_000n;
  }
}
