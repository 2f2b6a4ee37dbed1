import { deserialize, serialize } from "node:v8";
import type { SharedCache } from "@sightline/model/shared-state.ts";
import type { CachedResult, ResultsCache } from "./results-cache.ts";

/** Changes with what is written; others are not read. */
const FORMAT = 1;
type Kept = { readonly format: number; readonly key: string; readonly result: CachedResult; readonly bytes: number };

/**
 * Results in the memory of this process and, for others and for after a restart, in a cache that processes share. What either
 * has may be older than what the other has: its version says how old, and no answer depends on it.
 */
export class SharedResultsCache implements ResultsCache {
  readonly #near: ResultsCache;
  readonly #far: SharedCache;

  constructor(near: ResultsCache, far: SharedCache) {
    this.#near = near;
    this.#far = far;
  }

  async get(key: string): Promise<CachedResult | undefined> {
    const near = await this.#near.get(key);
    if (near) return near;
    const bytes = await this.#far.get(key);
    const kept = bytes && decode(bytes, key);
    if (kept) await this.#near.put(key, kept.result, kept.bytes);
    return kept?.result;
  }

  /** Nobody waits for the shared cache. */
  async put(key: string, result: CachedResult, bytes: number): Promise<void> {
    await this.#near.put(key, result, bytes);
    if (bytes > this.#far.maxBytes) return;
    void this.#far.put(key, serialize({ format: FORMAT, key, result, bytes } satisfies Kept));
  }
}

function decode(bytes: Uint8Array, key: string): Kept | undefined {
  try {
    const kept = deserialize(bytes) as Kept;
    return kept.format === FORMAT && kept.key === key ? kept : undefined;
  } catch {
    return undefined;
  }
}
