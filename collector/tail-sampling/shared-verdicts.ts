import type { SharedCache } from "@sightline/model/shared-state.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { z } from "zod";
import type { Verdict } from "./decided-traces.ts";

const verdict = z.object({ policy: z.string(), ratio: z.number().min(0).max(1) });

/**
 * Which traces collectors keep, for those that have other spans of them: a trace is kept as a whole when any of them keeps it. Never
 * throws; what the cache has forgotten, or can't say, nobody keeps.
 */
export class SharedVerdicts {
  readonly #cache: SharedCache;

  constructor(cache: SharedCache) {
    this.#cache = cache;
  }

  async keep(tenant: TenantId, traceId: string, kept: NonNullable<Verdict>): Promise<void> {
    await this.#cache.put(keyOf(tenant, traceId), Buffer.from(JSON.stringify(kept)));
  }

  /** Undefined: nobody has said that it is kept. */
  async keptBy(tenant: TenantId, traceId: string): Promise<Verdict> {
    const bytes = await this.#cache.get(keyOf(tenant, traceId));
    if (!bytes) return undefined;
    try {
      return verdict.parse(JSON.parse(Buffer.from(bytes).toString()));
    } catch {
      // Written by a release that says it otherwise.
      return undefined;
    }
  }
}

function keyOf(tenant: TenantId, traceId: string): string {
  return `${tenant}\u0000${traceId}`;
}
