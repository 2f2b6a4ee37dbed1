import { randomUUID } from "node:crypto";
import type { Members } from "@sightline/model/shared-state.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";

/** By Redis' clock. */
const ANNOUNCE = `
local now = redis.call('TIME')
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', nowMs)
redis.call('ZADD', KEYS[1], nowMs + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
`;

/** Who of several processes is there, as each says it of itself. */
export class RedisMembers implements Members {
  readonly #redis: RedisConnection;
  readonly #self = randomUUID();

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async announce(work: string, ttlMs: number): Promise<readonly string[]> {
    const found = await this.#redis.run("announcing a process", (client) =>
      client.eval(ANNOUNCE, 1, this.#keyOf(work), this.#self, Math.ceil(ttlMs)),
    );
    return [this.#self, ...(found as string[]).filter((id) => id !== this.#self)];
  }

  async leave(work: string): Promise<void> {
    await this.#redis.run("taking leave of others", (client) => client.zrem(this.#keyOf(work), this.#self));
  }

  #keyOf(work: string): string {
    return `${this.#redis.config.prefix}:members:{${work}}`;
  }
}
