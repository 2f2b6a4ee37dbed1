import { existsSync } from "node:fs";
import { DeadLetters } from "@sightline/collector/dead-letters/dead-letters.ts";
import { decoderOptions } from "@sightline/collector/decoder-options.ts";
import { Ingest } from "@sightline/collector/ingest.ts";
import { LiveLogs } from "@sightline/collector/live-logs.ts";
import { MinedLogs } from "@sightline/collector/mined-logs.ts";
import { registerLokiPush } from "@sightline/collector/receivers/loki-push.ts";
import { OtlpGrpcReceiver } from "@sightline/collector/receivers/otlp-grpc.ts";
import { registerOtlpHttp } from "@sightline/collector/receivers/otlp-http.ts";
import { registerRemoteWrite } from "@sightline/collector/receivers/remote-write.ts";
import { WriteAheadLog } from "@sightline/collector/wal/write-ahead-log.ts";
import type { Component } from "@sightline/model/ports.ts";
import { Decoder } from "@sightline/proto/decoder.ts";
import { recordLevels } from "@sightline/query/log-patterns/record-levels.ts";
import { EmbeddedPatternStore } from "@sightline/storage-embedded/patterns/embedded-pattern-store.ts";
import { HttpListener } from "./http-listener.ts";
import type { PartContext } from "./part-context.ts";
import { ReloadingServerCredentials } from "./tls/reloading-server-credentials.ts";

/** What receives: in the order of the data, receivers → ingest (decode, write-ahead log) → stores. */
export type CollectorPart = {
  readonly ingest: Ingest;
  /** What comes in, for those who tail. */
  readonly feed: LiveLogs;
  readonly patterns: EmbeddedPatternStore;
  /** In the order they start; the stores are started before them. */
  readonly components: readonly Component[];
  /** They accept requests as soon as they are started. */
  readonly receivers: readonly Component[];
  readonly addresses: () => Readonly<Record<string, string>>;
};

/** Without `receives` only this process itself submits something. */
export function collectorPart(context: PartContext, { receives }: { readonly receives: boolean }): CollectorPart {
  const { config, registry, logger, memory, http, tls, stores, authenticator, sealer, dir } = context;
  const collector = { logger: logger("collector"), registry };
  const wal = new WriteAheadLog({ ...collector, dir: dir("wal"), config: config.collector.wal });
  const deadLetters = new DeadLetters({
    ...collector,
    dir: dir("deadLetters"),
    config: config.collector.dead_letters,
  });
  const patterns = new EmbeddedPatternStore({
    logger: logger("storage"),
    registry,
    dir: dir("patterns"),
    config: config.storage.patterns,
    levels: recordLevels(),
    hasOlderLogs: config.storage.logs.kind !== "embedded" || existsSync(dir("logs")),
  });
  const feed = new LiveLogs(new MinedLogs(stores.logs, patterns), {
    isAlone: config.storage.logs.kind === "embedded",
  });
  const decoder = new Decoder(decoderOptions(config.collector));
  const ingest = new Ingest({
    ...collector,
    memory: memory.writes,
    sharedRates: context.shared.rates,
    sharedLimits: context.shared.limits,
    sharedVerdicts: context.shared.verdicts,
    limitsDir: dir("limits"),
    wal,
    decoder,
    deadLetters,
    stores: { metrics: stores.metrics, logs: feed, traces: stores.traces },
    sealer,
    config: config.collector,
  });
  memory.add(...patterns.memoryParts, decoder.memoryPart, ...ingest.memoryParts);

  const own = { ingest, feed, patterns, components: [patterns, wal, ingest] };
  if (!receives) return { ...own, receivers: [], addresses: () => ({}) };
  const otlpHttp = new HttpListener({ key: "otlp_http", hostPort: config.otlp_http, logger: logger("server"), tls });
  const receiving = { ingest, authenticator, config: config.collector, logger: logger("collector") };
  const otlpGrpc = new OtlpGrpcReceiver({
    ...receiving,
    listen: config.otlp_grpc,
    credentials: tls && new ReloadingServerCredentials(tls),
  });
  registerOtlpHttp(otlpHttp.app, receiving);
  registerOtlpHttp(http.app, receiving);
  registerLokiPush(http.app, receiving);
  registerRemoteWrite(http.app, receiving);
  return {
    ...own,
    receivers: [otlpGrpc, otlpHttp],
    addresses: () => ({ otlpGrpc: otlpGrpc.address, otlpHttp: otlpHttp.url }),
  };
}
