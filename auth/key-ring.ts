import type { ApiKey, KeyCatalog } from "@sightline/model/access.ts";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";

const REFRESH_MS = 500;
const RETRY_AFTER_MS = 2_000;
const PERSIST_USE_MS = 30_000;

export type KeyRingOptions = {
  /** Started before and stopped after the ring. */
  readonly catalog: KeyCatalog;
  readonly logger: Logger;
};

/**
 * The catalog's keys in memory, so that a request never waits for a disk. What somebody else changes in the catalog is
 * noticed within {@link REFRESH_MS}; when a key was last used is written there every {@link PERSIST_USE_MS}.
 */
export class KeyRing implements Component {
  readonly name = "API keys";
  readonly #catalog: KeyCatalog;
  readonly #logger: Logger;
  #keys: ReadonlyMap<string, ApiKey> = new Map();
  #revision = -1;
  /** Since the last time they were written, by id. Never more than there are keys. */
  #usedAtMs: Map<string, number> = new Map();
  #usePersistedAtMs = Date.now();
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(options: KeyRingOptions) {
    this.#catalog = options.catalog;
    this.#logger = options.logger;
  }

  /** A catalog that is away is waited for; until then nobody gets in. */
  async start(): Promise<void> {
    await this.#refresh().catch((error: unknown) => {
      if (!(error instanceof UnavailableError)) throw error;
      this.#logger.warn("the catalog can't be read yet: requests are told to come back later", { error });
    });
    if (this.#revision !== -1 && ![...this.#keys.values()].some((key) => key.revokedAtMs === undefined)) {
      this.#logger.warn("auth.mode is keys and there is no key yet: make one with the command keys create");
    }
    const tick = () => {
      this.#refreshing = this.#tick().finally(() => {
        if (this.#timer !== undefined) this.#timer = setTimeout(tick, REFRESH_MS);
      });
    };
    this.#timer = setTimeout(tick, REFRESH_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#refreshing;
    await this.#persistUse();
  }

  /** Throws `UnavailableError` while no keys could be read: a refusal would tell clients never to come back. */
  find(id: string): ApiKey | undefined {
    if (this.#revision === -1) {
      throw new UnavailableError("API keys can't be read: the catalog is away", { retryAfterMs: RETRY_AFTER_MS });
    }
    return this.#keys.get(id);
  }

  noteUse(id: string, atMs: number): void {
    this.#usedAtMs.set(id, atMs);
  }

  /** Goes on with the keys it knows while the catalog can't be read, and says so once. */
  async #tick(): Promise<void> {
    try {
      await this.#refresh();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#logger.error("the catalog can't be read: changes of keys go unnoticed", { error });
      this.#isFailing = true;
    }
    if (Date.now() - this.#usePersistedAtMs < PERSIST_USE_MS) return;
    await this.#persistUse().catch((error: unknown) => {
      this.#logger.warn("when keys were last used could not be written down: tried again later", { error });
    });
  }

  async #refresh(): Promise<void> {
    // Asked for before the keys are read: a change between the two is seen again the next time, not lost.
    const revision = await this.#catalog.revision();
    if (revision === this.#revision) return;
    const keys = await this.#catalog.keys();
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    if (this.#revision !== -1) this.#logger.info("API keys have changed", { keys: keys.length });
    this.#revision = revision;
  }

  async #persistUse(): Promise<void> {
    this.#usePersistedAtMs = Date.now();
    const used = this.#usedAtMs;
    if (used.size === 0) return;
    this.#usedAtMs = new Map();
    try {
      await this.#catalog.markKeysUsed(used);
    } catch (error) {
      this.#usedAtMs = new Map([...used, ...this.#usedAtMs]);
      throw error;
    }
  }
}
