import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError, UnavailableError } from "@sightline/model/errors.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import type { Decoded, Protocol, WireRequest } from "@sightline/proto/wire-request.ts";
import { Registry } from "prom-client";
import { collectorConfig } from "../config.ts";
import { type DeadLetter, listDeadLetters } from "../dead-letters/dead-letter-file.ts";
import { DeadLetters } from "../dead-letters/dead-letters.ts";
import { Ingest, type IngestStores } from "../ingest.ts";
import { WriteAheadLog } from "../wal/write-ahead-log.ts";

/** A batch whose one row is the request's body: what is under test is the way of requests, not their content. */
type NamedBatch = { readonly length: number; readonly name: string };

const decoder = {
  decode({ protocol, body }: WireRequest): Decoded {
    const name = Buffer.from(body).toString();
    if (name.startsWith("bad")) throw new InvalidInputError(`can't read ${name}`);
    const batch: NamedBatch = { length: name === "" ? 0 : 1, name };
    if (protocol.startsWith("otlp-traces")) {
      return { signal: "traces", batch: batch as unknown as SpanBatch, rejected: [] };
    }
    return { signal: "logs", batch: batch as unknown as LogBatch, rejected: [] };
  },
  *decodeInSteps(request: WireRequest): Generator<void, Decoded> {
    yield;
    return this.decode(request);
  },
};

/** For tests of {@link Ingest}: one at a time, on a log and dead letters that outlive it. */
export class IngestBed {
  readonly #root = mkdtempSync(join(tmpdir(), "collector-ingest-"));
  #registry = new Registry();
  #running: { readonly wal: WriteAheadLog; readonly ingest: Ingest } | undefined;

  async start(stores: IngestStores, settings: Record<string, unknown> = {}) {
    this.#registry = new Registry();
    const config = collectorConfig.parse({
      // The batches here have no rows to look at.
      tenants: { logs: { find_trace_ids: false } },
      wal: { segment_bytes: 65_536, preallocate: false, truncate_interval_ms: 20 },
      stores: { max_retry_delay_ms: 20, max_concurrent_appends: 4 },
      ...settings,
    });
    const common = { logger: SILENT_LOGGER, registry: this.#registry };
    const wal = new WriteAheadLog({ ...common, dir: join(this.#root, "wal"), config: config.wal });
    const deadLetters = new DeadLetters({ ...common, dir: this.deadLetterDir, config: config.dead_letters });
    const ingest = new Ingest({ ...common, wal, decoder, stores, deadLetters, config });
    await wal.start();
    await ingest.start();
    this.#running = { wal, ingest };
    return this.#running;
  }

  /** The process ends without any farewell; only what the log's files hold is left. */
  async crash(): Promise<void> {
    const current = this.#running;
    this.#running = undefined;
    await current?.wal.stop();
  }

  async dispose(): Promise<void> {
    await this.#running?.ingest.stop();
    await this.#running?.wal.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }

  get deadLetterDir(): string {
    return join(this.#root, "dead");
  }

  /** File names of the log. */
  get walSegments(): readonly string[] {
    return readdirSync(join(this.#root, "wal")).filter((file) => file.endsWith(".wal"));
  }

  async letters(): Promise<DeadLetter[]> {
    const all: DeadLetter[] = [];
    for await (const letter of listDeadLetters(this.deadLetterDir)) all.push(letter);
    return all;
  }

  async metricValues(name: string) {
    return (await this.#registry.getSingleMetric(name)?.get())?.values ?? [];
  }

  /** The sum over all labels. */
  async counter(name: string): Promise<number> {
    return (await this.metricValues(name)).reduce((sum, { value }) => sum + value, 0);
  }
}

/** One that {@link IngestBed}'s decoder takes for a batch of one row of this name; none for "", and fails for "bad…". */
export function namedRequest(name: string, protocol: Protocol = "otlp-logs-protobuf"): WireRequest {
  return { tenant: DEFAULT_TENANT, protocol, encoding: "identity", receivedAtMs: 1, body: Buffer.from(name) };
}

export function namesOf(store: { readonly taken: readonly { readonly batch: unknown }[] }): string[] {
  return store.taken.map(({ batch }) => nameOf(batch));
}

export function nameOf(batch: unknown): string {
  return (batch as NamedBatch).name;
}

export const numbered = (count: number, prefix = "r") => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
export const down = () => new UnavailableError("down", { retryAfterMs: 1 });
