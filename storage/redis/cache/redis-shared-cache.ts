import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import type { SharedCache } from "@sightline/model/shared-state.ts";
import { Counter, type Registry } from "prom-client";
import type { RedisConnection } from "../connection/redis-connection.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export type RedisSharedCacheOptions = {
  readonly redis: RedisConnection;
  /** Of the keys, behind `redis.prefix`; the number of the format is in it. */
  readonly name: string;
  readonly ttlMs: number;
  /** Before compression. */
  readonly maxBytes: number;
  readonly registry: Registry;
};

/** Of all caches of a process. */
const REQUESTS = "sightline_redis_cache_requests_total";

/** Values under hashes of their keys, compressed. Reading one makes it live longer. */
export class RedisSharedCache implements SharedCache {
  readonly maxBytes: number;
  readonly #options: RedisSharedCacheOptions;
  readonly #requests: Counter<"cache" | "result">;

  constructor(options: RedisSharedCacheOptions) {
    this.#options = options;
    this.maxBytes = options.maxBytes;
    const known = options.registry.getSingleMetric(REQUESTS) as Counter<"cache" | "result"> | undefined;
    this.#requests =
      known ??
      new Counter({
        name: REQUESTS,
        help: "What Redis was asked for as a cache: hit, miss, or unavailable.",
        labelNames: ["cache", "result"],
        registers: [options.registry],
      });
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const { redis, name: cache, ttlMs, maxBytes } = this.#options;
    try {
      const bytes = await redis.run("reading a kept result", (client) =>
        client.getexBuffer(this.#keyOf(key), "PX", ttlMs),
      );
      this.#requests.inc({ cache, result: bytes ? "hit" : "miss" });
      return bytes ? await decompress(bytes, { maxOutputLength: maxBytes }) : undefined;
    } catch {
      this.#requests.inc({ cache, result: "unavailable" });
      return undefined;
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const { redis, ttlMs, maxBytes } = this.#options;
    if (bytes.length > maxBytes) return;
    const compressed = await compress(bytes);
    await redis
      .run("keeping a result", (client) => client.set(this.#keyOf(key), compressed, "PX", ttlMs))
      .catch(() => {});
  }

  #keyOf(key: string): string {
    const { redis, name } = this.#options;
    return `${redis.config.prefix}:${name}:${createHash("sha256").update(key).digest("base64url")}`;
  }
}
