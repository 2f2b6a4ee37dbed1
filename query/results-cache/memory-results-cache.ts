import type { MemoryPart } from "@sightline/model/memory-part.ts";
import { Counter, Gauge, type Registry } from "prom-client";
import type { CachedResult, ResultsCache } from "./results-cache.ts";

/** One result may take this part of the cache at most: no query pushes out all others. */
const MAX_SHARE = 1 / 4;

type Entry = { readonly result: CachedResult; readonly bytes: number };

/** A cache in the memory of the process: when it is full, what was not used for longest goes. */
export class MemoryResultsCache implements ResultsCache {
  readonly #maxBytes: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #evicted: Counter | undefined;
  #bytes = 0;

  constructor(options: { readonly maxBytes: number; readonly registry?: Registry | undefined }) {
    this.#maxBytes = options.maxBytes;
    const { registry } = options;
    if (!registry) return;
    this.#evicted = new Counter({
      name: "sightline_results_cache_evicted_total",
      help: "Results of range queries that were forgotten because query.results_cache.max_bytes was reached or memory was short",
      registers: [registry],
    });
    gauge(registry, "bytes", "Size of the results of range queries that are kept", () => this.#bytes);
    gauge(registry, "entries", "Range queries whose results are kept", () => this.#entries.size);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Lets go of the half that was used longest ago when the process is short of memory. */
  readonly memoryPart: MemoryPart = {
    name: "results_cache",
    memoryBytes: () => this.#bytes,
    shrink: () => this.#evictTo(this.#bytes / 2),
  };

  async get(key: string): Promise<CachedResult | undefined> {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.result;
  }

  async put(key: string, result: CachedResult, bytes: number): Promise<void> {
    this.#remove(key);
    const size = bytes + 2 * key.length;
    if (size > this.#maxBytes * MAX_SHARE) return;
    this.#entries.set(key, { result, bytes: size });
    this.#bytes += size;
    this.#evictTo(this.#maxBytes);
  }

  #evictTo(bytes: number): void {
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= bytes) return;
      this.#remove(key);
      this.#evicted?.inc();
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

function gauge(registry: Registry, what: string, help: string, value: () => number): void {
  new Gauge({
    name: `sightline_results_cache_${what}`,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}
