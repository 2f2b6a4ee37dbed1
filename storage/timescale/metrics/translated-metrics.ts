import type { MetricMetadata } from "@sightline/model/metric-batch.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

type Kept = { readonly atMs: number; readonly text: string; readonly metrics: readonly MetricMetadata[] };

/** Other processes may write metadata at any time: it is read again after so long. */
const MAX_AGE_MS = 5_000;
const PLAIN_NAME = /^[a-zA-Z0-9_:]*$/;

/** Metrics that have other names, by tenant: the same array as long as they are the same. */
export class TranslatedMetrics {
  readonly #read: (tenant: TenantId) => Promise<readonly MetricMetadata[]>;
  readonly #kept = new Map<TenantId, Kept>();

  constructor(read: (tenant: TenantId) => Promise<readonly MetricMetadata[]>) {
    this.#read = read;
  }

  async of(tenant: TenantId): Promise<readonly MetricMetadata[]> {
    const kept = this.#kept.get(tenant);
    if (kept && performance.now() - kept.atMs < MAX_AGE_MS) return kept.metrics;
    const atMs = performance.now();
    const all = await this.#read(tenant);
    const metrics = all.filter(({ otelName, metric }) => otelName !== undefined || !PLAIN_NAME.test(metric));
    const text = JSON.stringify(metrics);
    const next = { atMs, text, metrics: kept?.text === text ? kept.metrics : metrics };
    this.#kept.set(tenant, next);
    return next.metrics;
  }

  /** After a write of this process. */
  changed(tenant: TenantId): void {
    const kept = this.#kept.get(tenant);
    if (kept) this.#kept.set(tenant, { ...kept, atMs: Number.NEGATIVE_INFINITY });
  }
}
