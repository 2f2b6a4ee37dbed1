import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import { Counter, type Registry } from "prom-client";
import type { QueryLogConfig } from "../config.ts";
import type { QueryEnd } from "./query-record.ts";

/** What may wait for a slow disk before lines are dropped, and counted. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024;

/** Writes every finished query: a line of JSON to `query.log.file`, or a message to the process' own log. */
export class QueryLog implements Component {
  readonly name = "query log";
  readonly #config: QueryLogConfig;
  readonly #logger: Logger;
  readonly #dropped: Counter | undefined;
  #stream: WriteStream | undefined;
  #failed = false;

  constructor(options: { config: QueryLogConfig; logger: Logger; registry?: Registry | undefined }) {
    this.#config = options.config;
    this.#logger = options.logger;
    this.#dropped =
      options.registry &&
      new Counter({
        name: "sightline_query_log_dropped_total",
        help: "Lines that were not written to query.log.file because the disk was too slow or failed",
        registers: [options.registry],
      });
  }

  /** Throws `InvalidInputError` when the file can't be opened. */
  async start(): Promise<void> {
    const { to, file } = this.#config;
    if (to !== "file") return;
    if (file === "") throw new InvalidInputError("query.log.to is file, so query.log.file must name one");
    const stream = createWriteStream(file, { flags: "a" });
    try {
      await once(stream, "open");
    } catch (cause) {
      throw new InvalidInputError(`query.log.file: ${(cause as Error).message}`, { cause });
    }
    stream.on("error", (error) => {
      if (!this.#failed) this.#logger.error("the query log can't be written; lines are dropped", { error, file });
      this.#failed = true;
    });
    this.#stream = stream;
  }

  async stop(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (!stream || this.#failed) return;
    stream.end();
    await once(stream, "close");
  }

  write(query: QueryEnd): void {
    const { to, min_duration_ms: minMs } = this.#config;
    if (to === "none" || query.queuedMs + query.runMs < minMs) return;
    const entry = entryOf(query);
    if (to === "logger") this.#logger.info("query", entry);
    else this.#writeLine(`${JSON.stringify(entry)}\n`);
  }

  #writeLine(line: string): void {
    const stream = this.#stream;
    if (!stream || this.#failed || stream.writableLength > MAX_PENDING_BYTES) this.#dropped?.inc();
    else stream.write(line);
  }
}

/** In the form of Prometheus' query log, with what it does not have beside it. */
function entryOf(query: QueryEnd) {
  const { start, startedAtMs, queuedMs, runMs, usage, error } = query;
  const { tenant, route, method, clientIp, text, parameters } = start;
  return {
    ts: new Date(startedAtMs).toISOString(),
    tenant,
    httpRequest: { clientIP: clientIp, method, path: route },
    params: { query: text, ...parameters },
    stats: {
      timings: { execQueueTime: queuedMs / 1_000, evalTotalTime: runMs / 1_000 },
      samples: { totalQueryableSamples: usage.samples, peakSamples: usage.peakSamples },
      cachedSteps: usage.cachedSteps,
    },
    ...(error !== undefined && { error }),
  };
}
