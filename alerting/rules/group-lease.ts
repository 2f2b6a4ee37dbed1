import type { Logger } from "@sightline/model/logger.ts";
import type { Lease, Leases } from "@sightline/model/shared-state.ts";

/** The right of one process to evaluate a group, of several that have the same rules. It lasts until `ttlMs` after it was taken. */
export class GroupLease {
  readonly #leases: Leases;
  readonly #name: string;
  readonly #ttlMs: number;
  readonly #logger: Logger;
  #held: Lease | undefined;

  constructor(leases: Leases, options: { readonly name: string; readonly ttlMs: number; readonly logger: Logger }) {
    this.#leases = leases;
    this.#name = `rules/${options.name}`;
    this.#ttlMs = options.ttlMs;
    this.#logger = options.logger;
  }

  /**
   * For one evaluation. `new`: another process may have evaluated the group since this one did. When nobody knows who may,
   * whoever did before goes on: an evaluation too many does less harm than none.
   */
  async take(): Promise<"held" | "new" | "none"> {
    const before = this.#held;
    try {
      if (before && (await this.#leases.renew(before, this.#ttlMs))) return "held";
      this.#held = await this.#leases.acquire(this.#name, this.#ttlMs);
    } catch (error) {
      this.#logger.warn("it is not known who may evaluate a group of rules", { lease: this.#name, error });
      return before ? "held" : "none";
    }
    if (!this.#held) return "none";
    // Nobody had it in between.
    return before && this.#held.token === before.token + 1 ? "held" : "new";
  }

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  async release(): Promise<void> {
    if (!this.#held) return;
    const held = this.#held;
    this.#held = undefined;
    await this.#leases.release(held).catch((error: unknown) => {
      this.#logger.warn("others have to wait for a group of rules", { lease: this.#name, error });
    });
  }
}
