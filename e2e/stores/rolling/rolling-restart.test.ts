import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "../../harness/ask.ts";
import { eventually } from "../../harness/eventually.ts";
import { patientMs } from "../../harness/patience.ts";
import type { ServerProcess } from "../../harness/server-process.ts";
import { trackedWriters } from "../../harness/tracked-loads.ts";
import type { TrackedWriter } from "../../harness/tracked-writer.ts";
import { OpenSearchService } from "../../services/opensearch.ts";
import { PostgresService } from "../../services/postgres.ts";
import { RedisService } from "../../services/redis.ts";
import { Cluster, clusterMissing } from "../cluster.ts";
import { RetryingClient } from "./retrying-client.ts";

/** One of each signal, of the labels, and what the rule records. */
const QUESTIONS = [
  "/api/v1/query?query=count(tracked_remote_write_1)",
  "/api/v1/query_range?query=sum(tracked_otlp_http)&start=0&end=60&step=15",
  "/api/v1/query?query=rolling:one",
  "/api/v1/labels",
  "/loki/api/v1/query_range?query={service_name=%22tracked-logs-http%22}&limit=20",
  "/jaeger/api/services",
];
const RULES = `groups:
  - name: rolling
    interval: 1s
    rules:
      - record: rolling:one
        expr: vector(1)
`;
const PAUSE_MS = 100;
const RETRY_MS = 1_000;
/** How often everything is restarted. */
const ROUNDS = Number(process.env.SIGHTLINE_TEST_ROUNDS ?? 1);
/** Answers that each client must have got anew before the next process is restarted. */
const ANSWERS_BETWEEN = 2;
/** Most of them agree on who manages the cluster while one is away. */
const OPENSEARCH_NODES = 3;
/** However long a restart takes on a slow machine, who asks meanwhile waits for it. */
const PATIENCE = {
  SIGHTLINE_STORAGE__METRICS__TIMESCALE__RESTART_WAIT: "1h",
  SIGHTLINE_CATALOG__POSTGRES__RESTART_WAIT: "1h",
  SIGHTLINE_QUERY__TIMEOUT_MS: "3600000",
};

describe.skipIf(clusterMissing() !== undefined)(
  "every process and every database restarted, one after the other, under load",
  () => {
    let dir: string;
    let cluster: Cluster;
    let nodes: readonly OpenSearchService[] = [];
    let alerting: ServerProcess;
    let clients: readonly RetryingClient[] = [];
    /** The proxies know no gRPC. */
    const writers = trackedWriters().filter(({ name }) => !name.includes("grpc"));
    let isOver = false;
    let load: Promise<unknown> = Promise.resolve();

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), "sightline-rolling-"));
      const rules = join(dir, "rules.yaml");
      writeFileSync(rules, RULES);
      nodes = await OpenSearchService.startNodes(OPENSEARCH_NODES);
      const databases = Promise.all([
        PostgresService.start(),
        nodes[0] as OpenSearchService,
        RedisService.start(),
      ] as const);
      cluster = await Cluster.start(
        {
          SIGHTLINE_ALERTING__RULES__FILES: JSON.stringify([rules]),
          SIGHTLINE_STORAGE__OPENSEARCH__NODES: JSON.stringify(nodes.map(({ url }) => url)),
          SIGHTLINE_STORAGE__OPENSEARCH__REPLICAS: "1",
          ...PATIENCE,
        },
        databases,
      );
      alerting = await cluster.startServer("alerting");
      clients = QUESTIONS.map((question) => new RetryingClient(cluster.readers.url, question));
      // A first document makes its index, which answers some time later.
      for (const writer of writers) await writer.run(cluster.senders, () => writer.answers.acknowledged > 0);
      for (const writer of writers) await expectEverything(writer);
      for (const client of clients)
        await eventually(async () => expect(await client.problem()).toBeUndefined(), 60_000);
      const sending = writers.map((writer) => writer.run(cluster.senders, () => isOver, PAUSE_MS, RETRY_MS));
      load = Promise.all([...sending, ...clients.map((client) => client.run(() => isOver, PAUSE_MS))]);
    }, patientMs(300_000));
    afterAll(async () => {
      isOver = true;
      await load;
      await alerting?.dispose();
      await cluster?.dispose();
      await Promise.all(nodes.map((node) => node.dispose()));
      rmSync(dir, { recursive: true, force: true });
    }, patientMs(120_000));

    async function expectEverything(writer: TrackedWriter): Promise<void> {
      await eventually(async () => expect(await writer.violations(cluster.readers)).toEqual([]), 120_000);
    }

    /** The load goes on for as long as it takes that everybody has got some answers. */
    async function someAnswers(): Promise<void> {
      const before = clients.map(({ answered }) => answered);
      const sent = writers.map(({ answers }) => answers.acknowledged);
      await eventually(async () => {
        for (const [i, { answered }] of clients.entries())
          expect(answered - (before[i] as number)).toBeGreaterThanOrEqual(ANSWERS_BETWEEN);
        for (const [i, { answers }] of writers.entries())
          expect(answers.acknowledged - (sent[i] as number)).toBeGreaterThanOrEqual(ANSWERS_BETWEEN);
      }, 60_000);
    }

    async function ruleEvaluated(): Promise<void> {
      const began = Date.now();
      await eventually(async () => {
        const newest = await new Ask(cluster.readers.url).number("timestamp(rolling:one) * 1000");
        expect(newest).toBeGreaterThan(began);
      }, 60_000);
    }

    async function restartNode(node: OpenSearchService): Promise<void> {
      // What is written to one node alone is away with it.
      await node.untilGreen();
      await someAnswers();
      await node.stop();
      await someAnswers();
      await node.start();
    }

    async function restartEverything(): Promise<void> {
      for (const server of [...cluster.collectors, ...cluster.queriers, alerting]) {
        await someAnswers();
        expect(await server.stop()).toBe(0);
        await server.restart();
      }
      await someAnswers();
      await cluster.redis.stop();
      await someAnswers();
      await cluster.redis.start();
      await someAnswers();
      await cluster.postgres.stop();
      await cluster.postgres.start();
      for (const node of nodes) await restartNode(node);
      await someAnswers();
      await ruleEvaluated();
    }

    test("nothing fails twice, nothing acknowledged is lost, and rules go on", {
      timeout: ROUNDS * patientMs(600_000),
    }, async () => {
      for (let round = 0; round < ROUNDS; round++) await restartEverything();
      isOver = true;
      await load;
      const asked = clients.reduce((sum, { answered }) => sum + answered, 0);
      const sent = writers.reduce((sum, { answers }) => sum + answers.acknowledged, 0);
      process.stderr.write(`${ROUNDS} rounds: ${asked} answers and ${sent} acknowledged requests\n`);
      expect(clients.flatMap(({ failures }) => failures)).toEqual([]);
      expect(writers.flatMap(({ name, failedTwice }) => failedTwice.map((request) => `${name} ${request}`))).toEqual(
        [],
      );
      for (const writer of writers) await expectEverything(writer);
    });
  },
);
