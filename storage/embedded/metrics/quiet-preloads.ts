import type { Logger } from "@sightline/model/logger.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { BlockCache } from "./block.ts";
import type { ListedBlock } from "./listed-block.ts";
import type { TenantMetrics } from "./tenant-metrics.ts";

/** While samples come there is better to do. */
const QUIET_MS = 1_000;

export type QuietPreloadsOptions = {
  readonly tenants: ReadonlyMap<TenantId, Pick<TenantMetrics, "blocks" | "preload">>;
  /** Of their blocks; no more than half of it is filled. */
  readonly cache: Pick<BlockCache, "isHalfFull">;
  readonly logger: Logger;
};

/**
 * Reads blocks into their cache, the newest samples first: at the start, as most of what queries ask for was in memory before
 * it, and those that were written since, once nothing was appended for a second.
 */
export class QuietPreloads {
  readonly #options: QuietPreloadsOptions;
  readonly #stopping = new AbortController();
  /** By tenant, as they were when they were read. */
  readonly #read = new Map<TenantId, readonly ListedBlock[]>();
  #appendedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: QuietPreloadsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#run();
    this.#timer = setInterval(() => {
      if (performance.now() - this.#appendedMs >= QUIET_MS) this.#run();
    }, QUIET_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#running;
  }

  /** To be called with every append. */
  appended(): void {
    this.#appendedMs = performance.now();
  }

  #run(): void {
    this.#running ??= this.#preload().finally(() => {
      this.#running = undefined;
    });
  }

  async #preload(): Promise<void> {
    const { tenants, cache, logger } = this.#options;
    for (const [tenant, metrics] of tenants) {
      const { blocks } = metrics;
      if (this.#read.get(tenant) === blocks) continue;
      this.#read.set(tenant, blocks);
      try {
        await metrics.preload(() => !cache.isHalfFull, this.#stopping.signal);
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        logger.warn("reading the newest samples ahead failed", { error, tenant });
      }
    }
  }
}
