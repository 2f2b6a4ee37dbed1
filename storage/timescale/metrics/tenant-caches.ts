import type { TenantId } from "@sightline/model/tenant.ts";
import { SeriesCache } from "./series-cache.ts";

/** What a writer remembers of series, by tenant. */
export class TenantCaches {
  readonly #caches = new Map<TenantId, SeriesCache>();

  /** Series of all tenants. */
  get series(): number {
    let series = 0;
    for (const { size } of this.#caches.values()) series += size;
    return series;
  }

  of(tenant: TenantId): SeriesCache {
    let cache = this.#caches.get(tenant);
    if (!cache) {
      cache = new SeriesCache();
      this.#caches.set(tenant, cache);
    }
    return cache;
  }

  known(tenant: TenantId): SeriesCache | undefined {
    return this.#caches.get(tenant);
  }

  /** Where more than `maxSeries` are remembered, all of a tenant are forgotten that nothing in memory refers to. */
  forget(maxSeries: number, isInUse: (tenant: TenantId) => boolean): void {
    let { series } = this;
    for (const [tenant, cache] of this.#caches) {
      if (series <= maxSeries) return;
      if (isInUse(tenant)) continue;
      series -= cache.size;
      this.#caches.delete(tenant);
    }
  }
}
