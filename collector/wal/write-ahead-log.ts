import { mkdir } from "node:fs/promises";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import type { Registry } from "prom-client";
import type { WalConfig } from "../config.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { type EncodedRecord, encodeRecord, type LoggedRequest, recordBytes, type WalEntry } from "./record.ts";
import { SegmentStore } from "./segment-store.ts";
import { DISK_FILES, type WalFiles } from "./wal-files.ts";
import { WalMetrics } from "./wal-metrics.ts";

export type WriteAheadLogOptions = {
  readonly dir: string;
  readonly config: WalConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Only tests give others than the real ones. */
  readonly files?: WalFiles;
};

/** writev(2) takes 1,024 buffers, a record has two. */
const MAX_GROUP_RECORDS = 500;
const RETRY_AFTER_MS = 5_000;

type Waiting = {
  readonly position: number;
  readonly request: LoggedRequest;
  readonly bytes: number;
  readonly resolve: (position: number) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Requests as they came, durable before their senders are answered. Group commit: while one group is written and
 * synced the next one gathers, so that the rate of requests does not depend on the rate of syncs.
 *
 * Positions ascend and are never used twice, not even after a restart, when every segment is gone, or when somebody
 * removed the directory: a log starts above the present time in microseconds. That matters because stores ignore
 * positions that they have already made durable.
 */
export class WriteAheadLog implements Component {
  readonly name = "wal";
  readonly #dir: string;
  readonly #config: WalConfig;
  readonly #logger: Logger;
  readonly #files: WalFiles;
  readonly #segments: SegmentStore;
  readonly #metrics: WalMetrics;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #flushing: Promise<void> | undefined;
  #nextPosition = 1;
  #lastPosition = 0;
  #replayFrom = 0;
  #running = false;

  constructor(options: WriteAheadLogOptions) {
    this.#dir = options.dir;
    this.#config = options.config;
    this.#logger = options.logger;
    this.#files = options.files ?? DISK_FILES;
    this.#metrics = new WalMetrics(options.registry, {
      bytes: () => this.bytes,
      segments: () => this.#segments.count,
    });
    this.#segments = new SegmentStore({
      dir: options.dir,
      config: options.config,
      logger: options.logger,
      files: this.#files,
      onDamage: (kind) => this.#metrics.damagedRecords.inc({ kind }),
    });
  }

  /** Opens the log and cuts off what a crash left half written. */
  async start(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    this.#replayFrom = (await readCheckpoint(this.#dir)) ?? 0;
    const lowestUnused = await this.#segments.open(this.#replayFrom);
    this.#nextPosition = Math.max(lowestUnused, this.#replayFrom, Date.now() * 1_000);
    this.#lastPosition = this.#nextPosition - 1;
    this.#running = true;
  }

  /** Waits for what was appended before. Further appends are refused. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#flushing;
    await this.#segments.close();
  }

  /** Bytes of records that the log holds, those about to be written included. */
  get bytes(): number {
    return this.#segments.bytes + this.#waitingBytes;
  }

  /** The highest position that is durable; when there is none yet, one below the first that will be. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  /** Where a replay has to begin: the argument of the last {@link truncateBefore} that succeeded, also by an earlier run. */
  get replayFrom(): number {
    return this.#replayFrom;
  }

  /**
   * Gives the request's position once it is durable. Calls settle in the order in which they were made, so positions do.
   * The request's body must not change until then. Throws `UnavailableError` when the log is full or the disk refuses:
   * the request is not in the log then.
   */
  append(request: LoggedRequest): Promise<number> {
    const bytes = recordBytes(request);
    if (!this.#running) return Promise.reject(unavailable("the write-ahead log is stopped: send the request again"));
    if (this.bytes + bytes > this.#config.max_bytes) {
      this.#metrics.refused.inc();
      return Promise.reject(
        unavailable(
          `the write-ahead log is full (${this.bytes} of ${this.#config.max_bytes} bytes) because a store is behind: ` +
            "bring the store back or raise collector.wal.max_bytes",
        ),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ position: this.#nextPosition++, request, bytes, resolve, reject });
      this.#waitingBytes += bytes;
      this.#flushing ??= this.#flush();
    });
  }

  /**
   * What is durable at the time of the call, from a position on, in order. Bodies are views of a shared buffer: read
   * only. Damaged records are left out, logged and counted.
   */
  replay(fromPosition: number): AsyncIterable<WalEntry> {
    return this.#segments.read(fromPosition, this.#lastPosition);
  }

  /** Records below `position` will not be asked for again. Removes the segments that hold nothing else. */
  async truncateBefore(position: number): Promise<void> {
    if (position <= this.#replayFrom) return;
    await writeCheckpoint(this.#files, this.#dir, position);
    this.#replayFrom = position;
    await this.#segments.removeBefore(position);
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#write(group);
      } catch (cause) {
        await this.#fail(group, cause);
      }
    }
    this.#flushing = undefined;
  }

  #takeGroup(): Waiting[] {
    const [first] = this.#waiting as [Waiting, ...Waiting[]];
    const room = Math.max(Math.min(this.#segments.room(first.bytes), this.#config.max_group_bytes), first.bytes);
    let bytes = 0;
    let count = 0;
    for (const { bytes: more } of this.#waiting) {
      if (count === MAX_GROUP_RECORDS || bytes + more > room) break;
      bytes += more;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const start = performance.now();
    const [first] = group as [Waiting, ...Waiting[]];
    const segment = await this.#segments.writerFor(first.bytes, first.position);
    const { marker } = segment.name;
    const records: EncodedRecord[] = group.map(({ position, request }) => encodeRecord(marker, position, request));
    await segment.append(records);
    this.#metrics.groupSeconds.observe((performance.now() - start) / 1_000);
    this.#metrics.groupRecords.observe(group.length);
    this.#metrics.appendedRecords.inc(group.length);
    for (const { position, bytes, resolve } of group) {
      this.#waitingBytes -= bytes;
      this.#metrics.appendedBytes.inc(bytes);
      this.#lastPosition = position;
      resolve(position);
    }
  }

  /** After a failed sync nobody knows what is on disk: the group is not acknowledged, and the file not used again. */
  async #fail(group: readonly Waiting[], cause: unknown): Promise<void> {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    this.#metrics.failures.inc({ operation: "append" });
    this.#logger.error("could not write to the write-ahead log", { requests: group.length, error: cause });
    await this.#segments.abandonWriter();
    const fix = code === "ENOSPC" || code === "EDQUOT" ? "free space there or move data_dir" : "see the server's log";
    for (const { bytes, reject } of group) {
      this.#waitingBytes -= bytes;
      reject(unavailable(`could not write to the write-ahead log in ${this.#dir} (${code || "error"}): ${fix}`, cause));
    }
  }
}

function unavailable(message: string, cause?: unknown): UnavailableError {
  return new UnavailableError(message, { cause, retryAfterMs: RETRY_AFTER_MS });
}
