import type { LogFeed } from "@sightline/model/log-store.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import { DEFAULT_TENANT, type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { RedisSharedCache } from "@sightline/storage-redis/cache/redis-shared-cache.ts";
import { type RedisConfig, redisConfig } from "@sightline/storage-redis/config.ts";
import { RedisConnection } from "@sightline/storage-redis/connection/redis-connection.ts";
import { RedisLeases } from "@sightline/storage-redis/leases/redis-leases.ts";
import { RedisSharedLimits } from "@sightline/storage-redis/limits/redis-shared-limits.ts";
import { RedisMembers } from "@sightline/storage-redis/members/redis-members.ts";
import { RedisSharedRates } from "@sightline/storage-redis/rates/redis-shared-rates.ts";
import { LogPublisher } from "@sightline/storage-redis/tail/log-publisher.ts";
import { RedisLogFeed } from "@sightline/storage-redis/tail/redis-log-feed.ts";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { RedisService } from "../services/redis.ts";

const OTHER = tenantId("other");
const MINUTE_MS = 60_000;

/** What a collector has: listeners, and batches for them. */
class OwnFeed implements LogFeed {
  readonly #listeners = new Map<TenantId, Set<Parameters<LogFeed["subscribe"]>[1]>>();

  isWhole(): boolean {
    return true;
  }

  subscribe(tenant: TenantId, listener: Parameters<LogFeed["subscribe"]>[1]): () => void {
    const listeners = this.#listeners.get(tenant) ?? new Set();
    this.#listeners.set(tenant, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  listeners(tenant: TenantId): number {
    return this.#listeners.get(tenant)?.size ?? 0;
  }

  take(tenant: TenantId, ...bodies: string[]): void {
    const batch = logBatchOf(bodies.map((body, i) => ({ timeNs: BigInt(i), body, labels: { service_name: "a" } })));
    for (const listener of this.#listeners.get(tenant) ?? []) listener(batch);
  }
}

describe.skipIf(RedisService.missing() !== undefined)("what processes share by way of Redis", () => {
  let service: RedisService;
  const started: Component[] = [];
  beforeAll(async () => {
    service = await RedisService.start();
  });
  afterEach(async () => {
    for (const component of started.splice(0).reverse()) await component.stop();
    await service.kill();
    await service.start();
  });
  afterAll(() => service.dispose());

  const startAll = async <C extends Component>(component: C): Promise<C> => {
    await component.start();
    started.push(component);
    return component;
  };
  const connect = (settings: Partial<Record<keyof RedisConfig, unknown>> = {}) => {
    const config = redisConfig.parse({ kind: "single", nodes: [service.address], ...settings });
    return startAll(new RedisConnection({ config, logger: SILENT_LOGGER, registry: new Registry() }));
  };
  /** As soon as the connection is back. */
  const back = async (redis: RedisConnection) => {
    await eventually(() => redis.run("looking", (client) => client.ping()));
  };

  describe("a cache", () => {
    const cacheOf = (redis: RedisConnection, ttlMs = MINUTE_MS) =>
      new RedisSharedCache({ redis, name: "test", ttlMs, maxBytes: 1_000, registry: new Registry() });

    test("gives what any process put, until its time is over", async () => {
      const [one, two] = [cacheOf(await connect()), cacheOf(await connect())];
      const bytes = Uint8Array.of(0, 255, 1, 2);
      await one.put("key", bytes);
      expect(await two.get("key")).toEqual(Buffer.from(bytes));
      expect(await two.get("no key")).toBeUndefined();
      const brief = cacheOf(await connect(), 1);
      await brief.put("brief", bytes);
      await eventually(async () => expect(service.cli("dbsize").trim()).toBe("1"));
    });

    test("keeps nothing too large, and nothing of somebody else's prefix", async () => {
      const cache = cacheOf(await connect());
      await cache.put("large", new Uint8Array(1_001));
      expect(service.cli("dbsize").trim()).toBe("0");
      await cache.put("key", Uint8Array.of(1));
      expect(await cacheOf(await connect({ prefix: "others" })).get("key")).toBeUndefined();
    });

    test("is empty without Redis, and works again with it", async () => {
      const redis = await connect();
      const cache = cacheOf(redis);
      await cache.put("key", Uint8Array.of(1));
      await service.kill();
      expect(await cache.get("key")).toBeUndefined();
      await cache.put("key", Uint8Array.of(1));
      await service.start();
      await back(redis);
      await cache.put("key", Uint8Array.of(2));
      expect(await cache.get("key")).toEqual(Buffer.of(2));
    });

    test("does not hold anybody up when Redis does not answer", async () => {
      const redis = await connect({ command_timeout: "50ms" });
      const cache = cacheOf(redis);
      service.signal("SIGSTOP");
      expect(await cache.get("key")).toBeUndefined();
      let asked = 0;
      // Within the second after that nobody waits again.
      await expect(redis.run("asking", async () => asked++)).rejects.toThrow("it did not answer just now");
      expect(asked).toBe(0);
      service.signal("SIGCONT");
      await back(redis);
    });
  });

  test("a process starts without Redis", async () => {
    await service.kill();
    const redis = await connect();
    await expect(redis.run("asking", (client) => client.ping())).rejects.toThrow("Redis, asking");
    await expect(redis.dependencies[0]?.ping()).rejects.toThrow();
    await service.start();
    await back(redis);
    await redis.dependencies[0]?.ping();
  });

  test("members know of each other, until they leave or say nothing any more", async () => {
    const [one, two] = [new RedisMembers(await connect()), new RedisMembers(await connect())];
    const [self] = await one.announce("work", MINUTE_MS);
    const [other, ...rest] = await two.announce("work", 1);
    expect(rest).toEqual([self]);
    expect(await new RedisMembers(await connect()).announce("other work", MINUTE_MS)).toHaveLength(1);
    await eventually(async () => expect(await one.announce("work", MINUTE_MS)).toEqual([self]));
    await two.announce("work", MINUTE_MS);
    expect(await one.announce("work", MINUTE_MS)).toEqual([self, other]);
    await two.leave("work");
    expect(await one.announce("work", MINUTE_MS)).toEqual([self]);
  });

  describe("limits of all collectors together", () => {
    const limitsOf = async () => new RedisSharedLimits(await connect());

    test("one of several is elected, until nobody stands for it any more", async () => {
      const [one, two] = [await limitsOf(), await limitsOf()];
      const stand = (limits: RedisSharedLimits, candidate: string, ttlMs = MINUTE_MS) =>
        limits.elect([{ office: "o", candidate, ttlMs }]);
      expect(await stand(one, "a")).toEqual([{ name: "a", ttlMs: MINUTE_MS }]);
      const [elected] = await stand(two, "b");
      expect(elected?.name).toBe("a");
      expect(elected?.ttlMs).toBeLessThanOrEqual(MINUTE_MS);
      await stand(one, "a", 1);
      await eventually(async () => expect(await stand(two, "b")).toMatchObject([{ name: "b" }]));
    });

    test("whom a process knows to be elected is so when Redis has forgotten it", async () => {
      const limits = await limitsOf();
      const candidacy = { office: "o", candidate: "b", ttlMs: MINUTE_MS };
      const known = { ...candidacy, incumbent: { name: "a", ttlMs: 20_000 } };
      expect(await limits.elect([known])).toEqual([{ name: "a", ttlMs: 20_000 }]);
      expect(await limits.elect([candidacy])).toMatchObject([{ name: "a" }]);
      const over = { ...candidacy, office: "p", incumbent: { name: "a", ttlMs: -1 } };
      expect(await limits.elect([over])).toMatchObject([{ name: "b" }]);
    });

    test("places are given up to a bound, of the list and of each group, and are free again after a while", async () => {
      const [one, two] = [await limitsOf(), await limitsOf()];
      const claim = { list: "t", maxPlaces: 4, maxPerGroup: 3, ttlMs: MINUTE_MS };
      const large = 2 ** 53 - 1;
      expect(await one.claim({ ...claim, groups: [{ name: "g", members: [1, 2, large, 4] }] })).toEqual([
        [true, true, true, false],
      ]);
      const groups = [
        { name: "g", members: [large, 5] },
        { name: "h", members: [6, 7] },
      ];
      expect(await two.claim({ ...claim, groups })).toEqual([
        [true, false],
        [true, false],
      ]);
      // Of those that nobody claimed for a millisecond.
      await eventually(async () => {
        const brief = { ...claim, ttlMs: 1, groups: [{ name: "g", members: [8, 9, 10] }] };
        expect(await two.claim(brief)).toEqual([[true, true, true]]);
      });
      const many = Array.from({ length: 2_500 }, (_, i) => i);
      const unbounded = { list: "u", maxPlaces: 2_100, maxPerGroup: 0, ttlMs: MINUTE_MS };
      const [places] = await one.claim({ ...unbounded, groups: [{ name: "", members: many }] });
      expect(places?.filter((has) => has)).toHaveLength(2_100);
    });

    test("counters are added to by all", async () => {
      const [one, two] = [await limitsOf(), await limitsOf()];
      await one.count("l", new Map([["a", 5]]), MINUTE_MS);
      const counts = await two.count("l", new Map([["a", 2], ["b", 1]]), MINUTE_MS); // biome-ignore format: one line
      expect(Object.fromEntries(counts)).toEqual({ a: 7, b: 1 });
    });

    test("nothing is decided without Redis", async () => {
      const limits = await limitsOf();
      await service.kill();
      await expect(limits.elect([{ office: "o", candidate: "a", ttlMs: 1 }])).rejects.toThrow("Redis, electing");
    });
  });

  describe("rates", () => {
    test("are counted over all who take, who are counted, too", async () => {
      const [one, two] = [new RedisSharedRates(await connect()), new RedisSharedRates(await connect())];
      // Refills so slowly that no time matters.
      const use = (amount: number) => [{ bucket: "b", ratePerSecond: 1e-6, burst: 100, amount }];
      const [first] = await one.exchange(use(30));
      expect(first?.sharers).toBe(1);
      expect(first?.left).toBeCloseTo(70, 2);
      const [second] = await two.exchange(use(100));
      expect(second?.sharers).toBe(2);
      expect(second?.left).toBeCloseTo(-30, 2);
      const both = await one.exchange([...use(0), { bucket: "c", ratePerSecond: 10, burst: 20, amount: 0 }]);
      expect(both.map(({ left }) => Math.round(left))).toEqual([-30, 20]);
    });

    test("are refilled by Redis' clock, up to the burst", async () => {
      const rates = new RedisSharedRates(await connect());
      const use = (amount: number) => rates.exchange([{ bucket: "b", ratePerSecond: 1_000_000, burst: 10, amount }]);
      await use(10);
      await eventually(async () => expect((await use(0))[0]?.left).toBe(10));
    });
  });

  describe("a lease", () => {
    test("has one holder at a time, and later ones have higher tokens", async () => {
      const [one, two] = [new RedisLeases(await connect()), new RedisLeases(await connect())];
      const first = await one.acquire("job", MINUTE_MS);
      expect(await two.acquire("job", MINUTE_MS)).toBeUndefined();
      expect(await one.acquire("job", MINUTE_MS)).toBeUndefined();
      expect(await two.acquire("another job", MINUTE_MS)).toBeDefined();
      expect(await one.renew(first as never, MINUTE_MS)).toBe(true);
      await two.release(first as never);
      expect(await two.acquire("job", MINUTE_MS)).toBeUndefined();
      await one.release(first as never);
      const second = await two.acquire("job", MINUTE_MS);
      expect(second?.token).toBeGreaterThan(first?.token ?? 0);
      expect(await one.renew(first as never, MINUTE_MS)).toBe(false);
    });

    test("ends by itself", async () => {
      const leases = new RedisLeases(await connect());
      const lease = await leases.acquire("job", 30);
      let next: Awaited<ReturnType<RedisLeases["acquire"]>>;
      await eventually(async () => {
        next = await leases.acquire("job", MINUTE_MS);
        expect(next).toBeDefined();
      });
      expect(await leases.renew(lease as never, MINUTE_MS)).toBe(false);
    });

    test("is lost with Redis, and the next token is higher all the same", async () => {
      const redis = await connect();
      const leases = new RedisLeases(redis);
      const lease = await leases.acquire("job", MINUTE_MS);
      await service.kill();
      await expect(leases.renew(lease as never, MINUTE_MS)).rejects.toThrow("Redis, renewing a lease");
      await service.start();
      await back(redis);
      expect(await leases.renew(lease as never, MINUTE_MS)).toBe(false);
      expect((await leases.acquire("job", MINUTE_MS))?.token).toBeGreaterThan(lease?.token ?? 0);
    });
  });

  describe("log records", () => {
    const collector = async (own: OwnFeed, publisher: string) => {
      const options = { feed: own, publisher, logger: SILENT_LOGGER, registry: new Registry() };
      return startAll(new LogPublisher({ redis: await connect(), ...options }));
    };

    test("come from every collector to whoever tails their tenant, once", async () => {
      const [first, second] = [new OwnFeed(), new OwnFeed()];
      await collector(first, "first");
      await collector(second, "second");
      const feed = await startAll(
        new RedisLogFeed({ redis: await connect(), own: { feed: first, publisher: "first" } }),
      );
      const got: string[] = [];
      const end = feed.subscribe(DEFAULT_TENANT, ({ bodies, streams }) => {
        got.push(...bodies.map((body) => `${streams[0]?.labels} ${body}`));
      });
      // Of the first both the feed and the publisher listen.
      await eventually(async () => expect([first, second].map((own) => own.listeners(DEFAULT_TENANT))).toEqual([2, 1]));
      second.take(OTHER, "not theirs");
      first.take(DEFAULT_TENANT, "own");
      const many = Array.from({ length: 1_200 }, (_, i) => `line ${i}`);
      second.take(DEFAULT_TENANT, ...many);
      await eventually(async () => expect(got.length).toBe(1_201));
      expect(got.toSorted()).toEqual(["own", ...many].map((body) => `service_name,a ${body}`).toSorted());
      end();
    });

    test("that a collector could not hand on are said to be missing for a while", { timeout: 60_000 }, async () => {
      const own = new OwnFeed();
      await collector(own, "first");
      const feed = await startAll(new RedisLogFeed({ redis: await connect() }));
      const got: string[] = [];
      feed.subscribe(DEFAULT_TENANT, ({ bodies }) => got.push(...bodies));
      expect(feed.isWhole(DEFAULT_TENANT)).toBe(false);
      await eventually(async () => expect(feed.isWhole(DEFAULT_TENANT)).toBe(true), 20_000);
      // More at once than may wait.
      for (let i = 0; i < 12; i++) own.take(DEFAULT_TENANT, `${i} ${"x".repeat(1024 * 1024)}`);
      await eventually(async () => expect(feed.isWhole(DEFAULT_TENANT)).toBe(false));
      expect(got.length).toBeLessThan(12);
      await eventually(async () => expect(feed.isWhole(DEFAULT_TENANT)).toBe(true), 20_000);
    });

    test("come again after Redis was away", async () => {
      const own = new OwnFeed();
      await collector(own, "first");
      const feed = await startAll(new RedisLogFeed({ redis: await connect() }));
      const got: string[] = [];
      feed.subscribe(DEFAULT_TENANT, ({ bodies }) => got.push(...bodies));
      await service.kill();
      await service.start();
      await eventually(async () => {
        own.take(DEFAULT_TENANT, "after");
        expect(got).toContain("after");
      });
    });
  });

  test("what sentinels know is found, and after a failover the new one", async () => {
    const primary = await RedisService.start();
    const replica = await RedisService.start({ settings: [`replicaof ${primary.host} ${primary.port}`] });
    const settings = [
      `sentinel monitor main ${primary.host} ${primary.port} 1`,
      "sentinel down-after-milliseconds main 500",
      "sentinel failover-timeout main 5000",
    ];
    const sentinel = await RedisService.start({ sentinel: true, settings });
    try {
      await eventually(
        async () => expect(sentinel.cli("sentinel", "replicas", "main")).toContain(String(replica.port)),
        60_000,
      );
      const redis = await connect({ kind: "sentinel", nodes: [sentinel.address], master_name: "main" });
      const leases = new RedisLeases(redis);
      const before = await leases.acquire("job", MINUTE_MS);
      await primary.kill();
      await eventually(async () => expect((await leases.acquire("another", 1))?.token).toBeDefined(), 90_000);
      expect(before).toBeDefined();
      expect(replica.cli("role")).toContain("master");
    } finally {
      await Promise.all([primary, replica, sentinel].map((one) => one.dispose()));
    }
  });

  test("a cluster is used, keys of one lease in one of its slots", async () => {
    const port = await freePort();
    const nodes = await RedisService.start({
      settings: ["cluster-enabled yes", "cluster-announce-ip 127.0.0.1", `cluster-port ${port}`],
    });
    try {
      nodes.cli("cluster", "addslotsrange", "0", "16383");
      await eventually(async () => expect(nodes.cli("cluster", "info")).toContain("cluster_state:ok"), 30_000);
      const redis = await connect({ kind: "cluster", nodes: [nodes.address] });
      await back(redis);
      const leases = new RedisLeases(redis);
      expect(await leases.acquire("job", MINUTE_MS)).toBeDefined();
      const rates = new RedisSharedRates(redis);
      const [shared] = await rates.exchange([{ bucket: "b", ratePerSecond: 1, burst: 5, amount: 1 }]);
      expect(shared?.sharers).toBe(1);
      const limits = new RedisSharedLimits(redis);
      const groups = [{ name: "g", members: [1] }];
      const places = { list: "t", maxPlaces: 1, maxPerGroup: 1, ttlMs: MINUTE_MS, groups };
      expect(await limits.claim(places)).toEqual([[true]]);
      const own = new OwnFeed();
      const shares = { redis, feed: own, publisher: "p", logger: SILENT_LOGGER, registry: new Registry() };
      await startAll(new LogPublisher(shares));
      const feed = await startAll(new RedisLogFeed({ redis }));
      const got: string[] = [];
      feed.subscribe(DEFAULT_TENANT, ({ bodies }) => got.push(...bodies));
      await eventually(async () => {
        own.take(DEFAULT_TENANT, "line");
        expect(got).toContain("line");
      });
    } finally {
      for (const component of started.splice(0).reverse()) await component.stop();
      await nodes.dispose();
    }
  });
});
