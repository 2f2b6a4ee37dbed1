import { randomUUID } from "node:crypto";
import type { Lease, Leases } from "@sightline/model/shared-state.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";

/**
 * Tokens ascend with Redis' clock, in microseconds, and above the last one: also when Redis has lost everything a later holder's is
 * higher.
 */
const ACQUIRE = `
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local now = redis.call('TIME')
local token = math.max(now[1] * 1000000 + now[2], (tonumber(redis.call('GET', KEYS[2])) or 0) + 1)
redis.call('SET', KEYS[2], string.format('%.0f', token))
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. string.format('%.0f', token), 'PX', ARGV[2])
return string.format('%.0f', token)
`;
const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;
const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`;

/** Leases that Redis keeps time for. They are lost with it: holders find out when they renew. */
export class RedisLeases implements Leases {
  readonly #redis: RedisConnection;
  readonly #holder = randomUUID();

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | undefined> {
    const key = this.#keyOf(name);
    const token = await this.#redis.run("acquiring a lease", (client) =>
      client.eval(ACQUIRE, 2, key, `${key}:token`, this.#holder, Math.ceil(ttlMs)),
    );
    return token === null ? undefined : { name, token: Number(token) };
  }

  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    const renewed = await this.#redis.run("renewing a lease", (client) =>
      client.eval(RENEW, 1, this.#keyOf(lease.name), this.#valueOf(lease), Math.ceil(ttlMs)),
    );
    return renewed === 1;
  }

  async release(lease: Lease): Promise<void> {
    await this.#redis.run("releasing a lease", (client) =>
      client.eval(RELEASE, 1, this.#keyOf(lease.name), this.#valueOf(lease)),
    );
  }

  #keyOf(name: string): string {
    return `${this.#redis.config.prefix}:lease:{${name}}`;
  }

  #valueOf({ token }: Lease): string {
    return `${this.#holder}:${token}`;
  }
}
