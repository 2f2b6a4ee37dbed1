import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { freePort } from "./harness/free-port.ts";
import { call } from "./harness/http-call.ts";
import { ServerProcess } from "./harness/server-process.ts";
import { trackedOtlpWriters } from "./harness/tracked-loads.ts";
import type { TrackedWriter } from "./harness/tracked-writer.ts";
import { RandomNumbers } from "./promql-random-numbers.ts";

/** An OpenTelemetry Collector with `otlp`, `otlp_http` and `file_storage`; skipped without. */
const OTEL_COLLECTOR = process.env.SIGHTLINE_E2E_OTELCOL;
const ROUNDS = Number(process.env.SIGHTLINE_E2E_QUEUE_ROUNDS ?? 6);
const CONSUMERS = 4;
/** Slow enough that the queue is empty soon after the end, on a busy machine, too. */
const PAUSE_MS = 100;
const DELIVERY_MS = 90_000;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A collector that keeps what it has taken on disk until it is delivered. */
class QueueingCollector {
  readonly url = "";
  readonly otlpGrpc: string;
  readonly otlpHttp: string;
  readonly #file: string;
  #child: ChildProcess | undefined;
  #log = "";

  constructor(dir: string, grpc: string, http: string, target: string) {
    this.otlpGrpc = grpc;
    this.otlpHttp = `http://${http}`;
    this.#file = join(dir, "collector.yaml");
    const pipeline = { receivers: ["otlp"], exporters: ["otlp_http"] };
    const config = {
      receivers: { otlp: { protocols: { grpc: { endpoint: grpc }, http: { endpoint: http } } } },
      exporters: {
        otlp_http: {
          endpoint: target,
          sending_queue: { storage: "file_storage", num_consumers: CONSUMERS, queue_size: 100_000 },
          retry_on_failure: { initial_interval: "100ms", max_interval: "1s", max_elapsed_time: "0s" },
        },
      },
      extensions: { file_storage: { directory: join(dir, "queue"), create_directory: true } },
      service: {
        extensions: ["file_storage"],
        telemetry: { metrics: { level: "none" } },
        pipelines: { metrics: pipeline, logs: pipeline, traces: pipeline },
      },
    };
    writeFileSync(this.#file, JSON.stringify(config));
  }

  async start(): Promise<void> {
    const child = spawn(OTEL_COLLECTOR as string, [`--config=${this.#file}`], { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-20_000);
    });
    this.#child = child;
    const body = "{}";
    const headers = { "content-type": "application/json" };
    await eventually(async () => {
      const { status } = await call(`${this.otlpHttp}/v1/logs`, { headers, body });
      expect(status, this.#log).toBe(200);
    }, 20_000);
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child as ChildProcess;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await exited;
  }
}

/** At fixed ports: who delivers must find it again. */
async function startServer(port: number): Promise<ServerProcess> {
  return ServerProcess.start({ args: ["--otlp-http", `127.0.0.1:${port}`] });
}

async function missing(writers: readonly TrackedWriter[], server: ServerProcess): Promise<string[]> {
  const lines: string[] = [];
  for (const writer of writers) {
    for (const [request, items] of (await writer.check(server)).missing)
      lines.push(`${writer.name} ${request}: ${items}`);
  }
  return lines;
}

test.skipIf(OTEL_COLLECTOR === undefined)(
  `${ROUNDS} rounds of killing and stopping a collector with a queue on disk, and us: everything it took arrives`,
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "sightline-queue-"));
    const random = new RandomNumbers(Date.now());
    const server = await startServer(await freePort());
    const ports = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`] as const;
    const collector = new QueueingCollector(dir, ...ports, server.otlpHttp);
    const writers = trackedOtlpWriters();
    let kills = 0;
    try {
      await collector.start();
      let stopped = false;
      const load = Promise.all(writers.map((writer) => writer.run(collector, () => stopped, PAUSE_MS)));
      for (let round = 0; round < ROUNDS; round++) {
        await sleep(random.integer(300, 1_200));
        const [side, how] = [random.one(["collector", "server"]), random.one(["SIGKILL", "SIGTERM"] as const)];
        if (how === "SIGKILL") kills++;
        if (side === "collector") await collector.end(how);
        else await (how === "SIGKILL" ? server.kill() : server.stop());
        await sleep(random.integer(0, 2_000));
        await (side === "collector" ? collector.start() : server.restart());
        console.info(`round ${round + 1}: ${how} of the ${side}`);
      }
      await sleep(500);
      stopped = true;
      await load;
      await eventually(async () => expect((await missing(writers, server)).slice(0, 10)).toEqual([]), DELIVERY_MS);
      for (const writer of writers) {
        const { violations } = await writer.check(server);
        // What was delivered and not yet crossed off the queue when one side was killed is delivered again: at least once
        // is what the collector promises. Samples and spans are the same ones then; lines are there twice.
        const allowed = writer.signal === "logs" ? kills * CONSUMERS : 0;
        expect(violations.slice(allowed)).toEqual([]);
        expect(writer.acknowledgedItems).toBeGreaterThan(50);
        console.info(`${writer.name}: ${writer.acknowledgedItems} acknowledged, ${violations.length} delivered twice`);
      }
    } finally {
      await collector.end("SIGKILL");
      await server.dispose();
      rmSync(dir, { recursive: true, force: true });
    }
  },
  240_000,
);
