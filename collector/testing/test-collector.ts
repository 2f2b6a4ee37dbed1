import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Authenticator } from "@sightline/model/access.ts";
import { UnauthenticatedError } from "@sightline/model/errors.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { SharedLimits } from "@sightline/model/shared-state.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { Decoder } from "@sightline/proto/decoder.ts";
import fastify, { type FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { collectorConfig } from "../config.ts";
import { DeadLetters } from "../dead-letters/dead-letters.ts";
import { decoderOptions } from "../decoder-options.ts";
import { Ingest } from "../ingest.ts";
import { registerLokiPush } from "../receivers/loki-push.ts";
import { OtlpGrpcReceiver } from "../receivers/otlp-grpc.ts";
import { registerOtlpHttp } from "../receivers/otlp-http.ts";
import type { ReceiverDeps } from "../receivers/receiver-deps.ts";
import { registerRemoteWrite } from "../receivers/remote-write.ts";
import type { WalEntry } from "../wal/record.ts";
import { WriteAheadLog } from "../wal/write-ahead-log.ts";
import { RecordingStore } from "./recording-store.ts";

/** The tenant is the header `x-scope-orgid`, and whoever says `authorization: no` is turned away. */
const authenticator: Authenticator = {
  authenticate(headers) {
    if (String(headers.authorization) === "no") throw new UnauthenticatedError("wrong credential");
    return { tenant: tenantId(String(headers["x-scope-orgid"] ?? "default")) };
  },
};

/** A whole collector on free ports, with everything real but the stores. */
export class TestCollector {
  readonly metrics = new RecordingStore<MetricBatch>();
  readonly logs = new RecordingStore<LogBatch>();
  readonly traces = new RecordingStore<SpanBatch>();
  readonly app: FastifyInstance = fastify({ forceCloseConnections: true });
  readonly deps: ReceiverDeps;
  readonly registry = new Registry();
  readonly ingest: Ingest;
  readonly deadLettersDir: string;
  readonly grpc: OtlpGrpcReceiver;
  readonly wal: WriteAheadLog;
  readonly #root: string;
  #url = "";

  constructor(settings: Record<string, unknown> = {}, { sharedLimits }: { readonly sharedLimits?: SharedLimits } = {}) {
    this.#root = mkdtempSync(join(tmpdir(), "collector-receivers-"));
    this.deadLettersDir = join(this.#root, "dead-letters");
    const config = collectorConfig.parse({ wal: { preallocate: false }, ...settings });
    const common = { logger: SILENT_LOGGER, registry: this.registry };
    this.wal = new WriteAheadLog({ ...common, dir: join(this.#root, "wal"), config: config.wal });
    const stores = { metrics: this.metrics, logs: this.logs, traces: this.traces };
    const deadLetters = new DeadLetters({ ...common, dir: this.deadLettersDir, config: config.dead_letters });
    const decoder = new Decoder(decoderOptions(config));
    this.ingest = new Ingest({ ...common, wal: this.wal, decoder, stores, deadLetters, config, sharedLimits });
    this.deps = { ingest: this.ingest, authenticator, config, logger: SILENT_LOGGER };
    this.grpc = new OtlpGrpcReceiver({ ...this.deps, listen: "127.0.0.1:0" });
    registerOtlpHttp(this.app, this.deps);
    registerLokiPush(this.app, this.deps);
    registerRemoteWrite(this.app, this.deps);
    this.app.post("/other", (request) => ({ got: request.body }));
  }

  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    await this.wal.start();
    await this.ingest.start();
    await this.grpc.start();
    this.#url = await this.app.listen({ host: "127.0.0.1", port: 0 });
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.grpc.stop();
    await this.ingest.stop();
    await this.wal.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** What the log holds. */
  async logged(): Promise<WalEntry[]> {
    const entries: WalEntry[] = [];
    for await (const entry of this.wal.replay(this.wal.replayFrom)) entries.push(entry);
    return entries;
  }

  post(path: string, body: Uint8Array | string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + path, { method: "POST", body: body as Uint8Array<ArrayBuffer>, headers });
  }
}
