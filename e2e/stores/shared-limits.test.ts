import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "../harness/ask.ts";
import { eventually } from "../harness/eventually.ts";
import { call } from "../harness/http-call.ts";
import { encodeLogs } from "../harness/otlp.ts";
import { remoteWrite } from "../harness/remote-write.ts";
import { RoundRobinProxy } from "../harness/round-robin-proxy.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { RedisService } from "../services/redis.ts";
import { redisSettings } from "./server-settings.ts";

const MAX_SERIES = 50;
const STORM = 20;
const OVERRIDES = `
pairs: { processors: { metrics: [{ kind: ha_dedup, failover_timeout_ms: 600000 }] } }
brief-pairs: { processors: { metrics: [{ kind: ha_dedup, failover_timeout_ms: 1000 }] } }
limited: { limits: { metrics: { max_active_series: ${MAX_SERIES} } } }
stormy: { processors: { logs: [{ kind: limit_storms, max_per_second: ${STORM} }] } }
`;

describe.skipIf(RedisService.missing() !== undefined)("limits of two collectors behind a round-robin proxy", () => {
  let redis: RedisService;
  let servers: ServerProcess[];
  let proxy: RoundRobinProxy;
  let dir: string;
  /** Each sample has a time of its own. */
  let timeMs = Date.now() - 1_800_000;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "sightline-shared-limits-"));
    const overrides = join(dir, "overrides.yaml");
    writeFileSync(overrides, OVERRIDES);
    redis = await RedisService.start();
    const env = { ...redisSettings(redis.address), SIGHTLINE_COLLECTOR__OVERRIDES_FILE: overrides };
    servers = [await ServerProcess.start({ env }), await ServerProcess.start({ env })];
    proxy = await RoundRobinProxy.start(servers.map((server) => () => server.url));
  }, 600_000);
  const redisIs = async (state: "up" | "down") => {
    for (const { url } of servers) {
      await eventually(async () => {
        const { text } = await call(`${url}/api/v1/status/dependencies`);
        expect(text).toContain(`"purpose":"cache","state":"${state}"`);
      });
    }
  };
  beforeAll(() => redisIs("up"));
  /** Empty, and known to be back. */
  afterEach(async () => {
    await redis.kill();
    await redisIs("down");
    await redis.start();
    await redisIs("up");
  });
  afterAll(async () => {
    await proxy?.stop();
    for (const server of servers ?? []) await server.dispose();
    await redis?.dispose();
    rmSync(dir, { recursive: true, force: true });
  });

  const write = async (tenant: string, series: readonly Readonly<Record<string, string>>[], value = 1) => {
    const labels = series.map((one) => Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));
    const samples = [{ timeMs: timeMs++, value }];
    const written = labels.map((pairs) => ({ labels: pairs, samples }));
    const { status } = await remoteWrite(proxy.url, 1, written, { tenant });
    expect(status).toBe(204);
  };
  /** The sample's value says which replica sent it. */
  const scraped = (tenant: string, replica: number) =>
    write(tenant, [{ __name__: "up", cluster: "eu", __replica__: `r${replica}` }], replica);
  /** Of all collectors, in the order of time. */
  const heard = async (tenant: string) => {
    const samples = await Promise.all(servers.map(({ url }) => new Ask(url, tenant).samples("up")));
    return samples.flat().sort(([a], [b]) => a - b).map(([, value]) => Number(value)); // biome-ignore format: one line
  };

  test("one replica of a pair is listened to, also while Redis is killed and comes back empty", async () => {
    const rounds = 15;
    for (let i = 0; i < rounds; i++) {
      if (i === 5) await redis.kill();
      if (i === 10) await redis.start();
      // Each replica comes to both.
      for (const replica of [1, 1, 2, 2]) await scraped("pairs", replica);
    }
    expect(await heard("pairs")).toEqual(Array.from({ length: 2 * rounds }, () => 1));
  });

  test("another one is when it has been silent, by both at once", async () => {
    await scraped("brief-pairs", 1);
    await eventually(async () => {
      await scraped("brief-pairs", 2);
      expect((await heard("brief-pairs")).at(-1)).toBe(2);
    });
    const values = await heard("brief-pairs");
    expect(values).toEqual(values.toSorted((a, b) => a - b));
  });

  test("as many series are active as a tenant may have, whichever collector they come to", async () => {
    const series = Array.from({ length: 2 * MAX_SERIES }, (_, i) => ({ __name__: "load", i: String(i) }));
    await write("limited", series.slice(0, MAX_SERIES / 2));
    for (let i = 0; i < 3; i++) await write("limited", series.slice().reverse());
    await redis.kill();
    // Both know by now who has a place, and go on with these.
    for (let i = 0; i < 4; i++) await write("limited", series);
    await redis.start();
    for (let i = 0; i < 4; i++) await write("limited", series);
    const kept = new Set<string>();
    for (const { url } of servers) {
      const found = await new Ask(url, "limited").promql("last_over_time(load[1h])");
      for (const { metric } of found) if (!metric.otel_metric_overflow) kept.add(String(metric.i));
    }
    expect(kept.size).toBe(MAX_SERIES);
  });

  test("a storm is counted over both", async () => {
    const records = 200;
    const kept = async () => {
      const counts = await Promise.all(
        servers.map(({ url }) =>
          new Ask(url, "stormy").logs('{service_name="storm"}', 0n, BigInt(Date.now() + 60_000) * 1_000_000n),
        ),
      );
      return counts.flat();
    };
    const seconds = new Set<number>();
    for (let i = 0; i < records; i++) {
      const timeNs = BigInt(Date.now()) * 1_000_000n;
      const headers = { "content-type": "application/x-protobuf", "x-scope-orgid": "stormy" };
      const body = encodeLogs("storm", [{ timeNs, body: "it fails" }] as never);
      seconds.add(Math.floor(Date.now() / 1_000));
      expect((await call(`${proxy.url}/v1/logs`, { method: "POST", headers, body })).status).toBe(200);
      seconds.add(Math.floor(Date.now() / 1_000));
    }
    // One that stands for others is a record, too, and tells so: it is no more than each request brings.
    const lines = await kept();
    expect(lines).toHaveLength(records);
    const whole = lines.filter(({ stream }) => stream.sightline_storm_count === undefined);
    // A tenth more of each collector.
    expect(whole.length).toBeLessThanOrEqual(seconds.size * STORM * 1.2);
  });
});
