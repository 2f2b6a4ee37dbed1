import { randomUUID } from "node:crypto";
import type { SharedRate, SharedRates, UsedRate } from "@sightline/model/shared-state.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";

/** Who has not been heard of for so long is no longer one of those who share. */
const MEMBER_MS = 5_000;

/**
 * Refills the bucket by Redis' own clock, takes what was used, and counts who shares it. Tokens are text, because Lua's numbers
 * lose their fractions on the way out.
 */
const EXCHANGE = `
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local rate, burst, used = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(kept[1]) or burst, tonumber(kept[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) / 1000 * rate) - used
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(now))
redis.call('PEXPIRE', KEYS[1], math.ceil(math.min(86400000, math.max(0, burst - tokens) / rate * 1000 + 60000)))
redis.call('ZADD', KEYS[2], now, ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ${MEMBER_MS})
redis.call('PEXPIRE', KEYS[2], ${MEMBER_MS})
return { tostring(tokens), redis.call('ZCARD', KEYS[2]) }
`;

/** Token buckets that processes take from together. */
export class RedisSharedRates implements SharedRates {
  readonly #redis: RedisConnection;
  readonly #member = randomUUID();

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  exchange(used: readonly UsedRate[]): Promise<readonly SharedRate[]> {
    const { prefix } = this.#redis.config;
    return this.#redis.run("sharing rates", (client) =>
      Promise.all(
        used.map(async ({ bucket, ratePerSecond, burst, amount }) => {
          // The same slot of a cluster for both keys.
          const key = `${prefix}:rate:{${bucket}}`;
          const answer = await client.eval(EXCHANGE, 2, key, `${key}:by`, ratePerSecond, burst, amount, this.#member);
          const [left, sharers] = answer as [string, number];
          return { left: Number(left), sharers };
        }),
      ),
    );
  }
}
