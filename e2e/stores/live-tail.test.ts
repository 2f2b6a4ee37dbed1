import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { call } from "../harness/http-call.ts";
import { encodeLogs } from "../harness/otlp.ts";
import { patientMs } from "../harness/patience.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { Cluster, clusterMissing } from "./cluster.ts";
import { TailClient } from "./tail-client.ts";

const WITHOUT_REDIS = { SIGHTLINE_REDIS__KIND: "off" };
const PAUSE_MS = 50;
/** Longer than a line may take that comes twice. */
const QUIET_MS = 4_000;

describe.skipIf(clusterMissing() !== undefined)("who tails logs that others take in", () => {
  let cluster: Cluster;
  let querier: ServerProcess;
  let services = 0;
  const tails: TailClient[] = [];
  beforeAll(async () => {
    cluster = await Cluster.start();
    querier = await cluster.startServer("query", WITHOUT_REDIS);
    // A first document makes its index.
    await send(cluster.collectors[0] as ServerProcess, "first", ["a line"]);
  }, patientMs(300_000));
  afterEach(() => {
    for (const tail of tails.splice(0)) tail.close();
  });
  afterAll(async () => {
    await querier?.dispose();
    await cluster?.dispose();
  });

  async function send({ url }: { readonly url: string }, service: string, bodies: readonly string[]): Promise<void> {
    const records = bodies.map((body) => ({ timeNs: BigInt(Date.now()) * 1_000_000n, body }));
    const headers = { "content-type": "application/x-protobuf" };
    const body = encodeLogs(service, records as never);
    expect((await call(`${url}/v1/logs`, { method: "POST", headers, body })).status).toBe(200);
  }

  /** Sends a line after the other to all of these in turn, for so long, and gives those that were taken and when. */
  async function sendFor(ms: number, service: string, to: readonly ServerProcess[]): Promise<Map<string, number>> {
    const sent = new Map<string, number>();
    const untilMs = Date.now() + ms;
    for (let i = 0; Date.now() < untilMs; i++) {
      await send(to[i % to.length] as ServerProcess, service, [`line ${i}`]);
      sent.set(`line ${i}`, Date.now());
      await sleep(PAUSE_MS);
    }
    return sent;
  }

  async function tailOf(server: { readonly url: string }): Promise<{ tail: TailClient; service: string }> {
    const service = `tailed-${services++}`;
    const tail = await TailClient.open(server.url, `{service_name="${service}"}`);
    tails.push(tail);
    return { tail, service };
  }

  async function expectOnce(tail: TailClient, sent: Iterable<string>, timeoutMs = 20_000): Promise<void> {
    const want = [...sent].toSorted();
    await eventually(async () => expect(tail.lines.toSorted()).toEqual(want), timeoutMs);
    await sleep(QUIET_MS);
    expect([tail.lines.toSorted(), tail.dropped, tail.closedFor]).toEqual([want, 0, undefined]);
  }

  test(
    "without Redis gets each line once, some seconds later",
    async () => {
      const { tail, service } = await tailOf(querier);
      const sent = await sendFor(10_000, service, cluster.collectors);
      await expectOnce(tail, sent.keys());
      const delays = tail.lines.map((line, i) => (tail.timesMs[i] as number) - (sent.get(line) as number));
      const [half, most] = [delays.toSorted((a, b) => a - b)[delays.length >> 1] as number, Math.max(...delays)];
      process.stderr.write(`${delays.length} lines, after ${half} ms (median) and ${most} ms (most)\n`);
      expect(most).toBeLessThan(patientMs(5_000));
    },
    patientMs(60_000),
  );

  test(
    "gets equal lines as often as they came",
    async () => {
      const { tail, service } = await tailOf(querier);
      const [one, two] = cluster.collectors as [ServerProcess, ServerProcess];
      await send(one, service, ["same", "same", "other"]);
      await send(two, service, ["same"]);
      await expectOnce(tail, ["other", "same", "same", "same"]);
    },
    patientMs(60_000),
  );

  test(
    "gets what its query wants of it, with labels as if it had been handed over",
    async () => {
      const service = "narrowed";
      const query = `{service_name="${service}"} |= "b" | line_format "<{{__line__}}>"`;
      const tail = await TailClient.open(querier.url, query);
      tails.push(tail);
      await send(cluster.senders, service, ["abc", "acc", "bbb"]);
      await expectOnce(tail, ["<abc>", "<bbb>"]);
    },
    patientMs(60_000),
  );

  test.each([
    ["killed", () => cluster.redis.kill(), () => cluster.redis.start()],
    ["frozen", async () => cluster.redis.signal("SIGSTOP"), async () => cluster.redis.signal("SIGCONT")],
  ] as const)(
    "loses and doubles nothing when Redis is %s and comes back",
    async (_, stop, start) => {
      const [server] = cluster.queriers as [ServerProcess];
      const { tail, service } = await tailOf(server);
      const sending = sendFor(32_000, service, cluster.collectors);
      await sleep(8_000);
      await stop();
      await sleep(6_000);
      await start();
      await expectOnce(tail, (await sending).keys());
    },
    patientMs(90_000),
  );

  test(
    "loses and doubles nothing when OpenSearch is away meanwhile",
    async () => {
      const { tail, service } = await tailOf(querier);
      const sending = sendFor(10_000, service, cluster.collectors);
      await sleep(3_000);
      await cluster.openSearch.kill();
      await cluster.openSearch.start();
      await expectOnce(tail, (await sending).keys(), 60_000);
    },
    patientMs(180_000),
  );

  test(
    "at a process that takes in some itself gets these and those of others",
    async () => {
      const all = await ServerProcess.start({ env: { ...cluster.settings, ...WITHOUT_REDIS } });
      try {
        const { tail, service } = await tailOf(all);
        const sent = await sendFor(8_000, service, [all, ...cluster.collectors]);
        await expectOnce(tail, sent.keys());
      } finally {
        await all.dispose();
      }
    },
    patientMs(90_000),
  );
});
