import type { RedisConnection } from "../connection/redis-connection.ts";

/** Who tails says so again before this is over. */
const WANTED_MS = 10_000;

const ASK = `
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
for i = 1, #ARGV do redis.call('ZADD', KEYS[1], now + ${WANTED_MS}, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ${WANTED_MS})
return redis.status_reply('OK')
`;
const LIST = `
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')
`;

/** Whose log records somebody tails, as all processes see it. Throws `UnavailableError`. */
export class WantedTenants {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /** Tells at once that somebody wants a tenant; the message is its name. */
  get channel(): string {
    return `${this.#redis.config.prefix}:tail-wanted`;
  }

  async ask(tenants: readonly string[]): Promise<void> {
    await this.#redis.run("asking for log records", async (client) => {
      await client.eval(ASK, 1, this.#key, ...tenants);
      await Promise.all(tenants.map((tenant) => client.publish(this.channel, tenant)));
    });
  }

  async list(): Promise<readonly string[]> {
    const list = await this.#redis.run("looking who tails", (client) => client.eval(LIST, 1, this.#key));
    return list as string[];
  }

  get #key(): string {
    return `${this.#redis.config.prefix}:tailing`;
  }
}

/** Where records of a tenant come by. */
export function tailChannel(prefix: string, tenant: string): string {
  return `${prefix}:tail:${tenant}`;
}
