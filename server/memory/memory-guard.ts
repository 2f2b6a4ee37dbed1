import { getHeapStatistics } from "node:v8";
import { TooManyRequestsError, UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { queriesHurry } from "@sightline/model/loop-turns.ts";
import type { MemoryGate, MemoryPart } from "@sightline/model/memory-part.ts";
import type { Component } from "@sightline/model/ports.ts";
import type { Registry } from "prom-client";
import { MemoryMetrics } from "./memory-metrics.ts";
import { type Pressure, pressureAt, severity } from "./pressure.ts";

export type MemoryGuardOptions = {
  readonly limitBytes: number;
  readonly registry: Registry;
  readonly logger: Logger;
  /** What the process takes, and how full V8's heap is as a share of its own limit; other ones for tests. */
  readonly rssBytes?: (() => number) | undefined;
  readonly heapUse?: (() => number) | undefined;
  /** What V8's heap holds and what hangs on it, garbage included. */
  readonly heapBytes?: (() => number) | undefined;
  /** Collects all garbage at once; undefined: V8 does when it likes. */
  readonly collectGarbage?: (() => void) | undefined;
  /** Whether somebody waits for an answer that must not wait for a collection. By default {@link queriesHurry}. */
  readonly isHurried?: (() => boolean) | undefined;
  readonly nowMs?: (() => number) | undefined;
};

/** A request of 64 MiB that is being decoded makes some hundred megabytes a second. */
const SAMPLE_MS = 100;
/** Collecting blocks for a millisecond per some megabytes that are alive, several times that on a busy machine. */
const COLLECT_EVERY_MS = 5_000;
/** Until then it waits for a moment without queries. */
const COLLECT_AT_LAST_MS = 10_000;
/** Garbage worth that: the heap has grown by this share of the limit since it was smallest. */
const MIN_GARBAGE_SHARE = 0.2;
const SHRINK_EVERY_MS = 5_000;
const LOG_EVERY_MS = 30_000;
/** What was written a moment ago is small again, or what it holds is not what a flush gives back. */
const FLUSH_EVERY_MS = 10_000;
/** A part that holds less is not worth a flush: small files are merged again at a price. */
const MIN_FLUSH_SHARE = 0.03;
/** The same when there is nothing else left to give back. */
const LEAST_FLUSH_SHARE = 0.01;
const RETRY_AFTER_MS = 2_000;
/** Refusing for so long has not helped: what fills the memory stays. Then a little is let in, so that nothing stands still. */
const STUCK_MS = 15_000;
/** Let in between two looks when stuck: some megabytes a second. */
const TRICKLE_BYTES = 256 * 1024;
const TRICKLE_BELOW = 0.86;
/** What a request may still be decoded into beyond the level where new ones are refused. */
const HARD_SHARE = 0.8;

/**
 * Keeps the process below its memory limit: samples what it takes as the system sees it, and by how near that is to the
 * limit lets parts write early what they hold in memory (the largest first), lets caches go, refuses writes, and at last
 * refuses queries, too. Whose memory it is, the parts say themselves; what they don't know of counts all the same.
 */
export class MemoryGuard implements Component {
  readonly name = "memory guard";
  readonly limitBytes: number;
  readonly #options: MemoryGuardOptions;
  readonly #nowMs: () => number;
  readonly #parts: MemoryPart[] = [];
  #flushing: MemoryPart | undefined;
  /** When each was last asked to flush. */
  readonly #flushedMs = new Map<MemoryPart, number>();
  readonly #metrics: MemoryMetrics;
  #timer: NodeJS.Timeout | undefined;
  #pressure: Pressure = "none";
  #rssBytes = 0;
  /** Admitted since the last sample. */
  #admittedBytes = 0;
  /** Since when writes are refused. */
  #refusingMs: number | undefined;
  #collectedMs = Number.NEGATIVE_INFINITY;
  /** The least that the heap has held since it was last collected: V8 does that, too. */
  #leastHeapBytes = Number.POSITIVE_INFINITY;
  #shrunkMs = Number.NEGATIVE_INFINITY;
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(options: MemoryGuardOptions) {
    this.#options = options;
    this.limitBytes = options.limitBytes;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#metrics = new MemoryMetrics(options.registry, {
      limitBytes: options.limitBytes,
      parts: this.#parts,
      pressure: () => severity(this.#pressure),
    });
  }

  add(...parts: readonly MemoryPart[]): void {
    this.#parts.push(...parts);
  }

  get pressure(): Pressure {
    return this.#pressure;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#pressure = "none";
  }

  /** For what is sent. */
  readonly writes: MemoryGate = {
    admit: (bytes) => {
      const ahead = this.#rssBytes + this.#admittedBytes + bytes;
      const isCalm = severity(this.#pressure) < severity("refuse-writes");
      if (isCalm ? ahead < HARD_SHARE * this.limitBytes : this.#mayTrickle(ahead, bytes)) {
        this.#admittedBytes += bytes;
        return;
      }
      this.#metrics.refused("write");
      throw new TooManyRequestsError(this.#refusal(), { retryAfterMs: RETRY_AFTER_MS });
    },
  };

  #mayTrickle(ahead: number, bytes: number): boolean {
    if (this.#refusingMs === undefined || this.#nowMs() - this.#refusingMs < STUCK_MS) return false;
    const isFirst = this.#admittedBytes === 0 || bytes === 0;
    return (isFirst || this.#admittedBytes + bytes <= TRICKLE_BYTES) && ahead < TRICKLE_BELOW * this.limitBytes;
  }

  /** For what is asked. Throws `UnavailableError`. */
  readonly queries: MemoryGate = {
    admit: () => {
      if (this.#pressure !== "refuse-all") return;
      this.#metrics.refused("query");
      throw new UnavailableError(this.#refusal(), { retryAfterMs: RETRY_AFTER_MS });
    },
  };

  /** Runs on its own; public for tests. */
  sample(): void {
    const before = this.#pressure;
    this.#measure();
    if (this.#hasGarbage() && severity(this.#pressure) > severity("flush")) this.#collect();
    if (this.#pressure !== before) this.#report(before);
    if (this.#pressure === "none") return;
    this.#flush();
    if (this.#pressure !== "flush") this.#shrink();
  }

  #measure(): void {
    this.#rssBytes = (this.#options.rssBytes ?? process.memoryUsage.rss)();
    this.#admittedBytes = 0;
    const used = Math.max(this.#rssBytes / this.limitBytes, (this.#options.heapUse ?? heapUse)());
    this.#pressure = pressureAt(used, this.#pressure);
    if (severity(this.#pressure) < severity("refuse-writes")) this.#refusingMs = undefined;
    else this.#refusingMs ??= this.#nowMs();
  }

  #hasGarbage(): boolean {
    const bytes = (this.#options.heapBytes ?? heapBytes)();
    this.#leastHeapBytes = Math.min(this.#leastHeapBytes, bytes);
    return bytes - this.#leastHeapBytes >= MIN_GARBAGE_SHARE * this.limitBytes || this.#pressure === "refuse-all";
  }

  /** V8 does not know of the limit of the process: it may let garbage lie while we refuse requests for want of memory. */
  #collect(): void {
    const { collectGarbage, isHurried = queriesHurry } = this.#options;
    const now = this.#nowMs();
    if (!collectGarbage || now - this.#collectedMs < COLLECT_EVERY_MS) return;
    if (isHurried() && now - this.#collectedMs < COLLECT_AT_LAST_MS && this.#pressure !== "refuse-all") return;
    collectGarbage();
    this.#collectedMs = this.#nowMs();
    this.#leastHeapBytes = Number.POSITIVE_INFINITY;
    this.#metrics.relieved("collect");
    this.#measure();
  }

  /** One part at a time: writing takes memory, too. */
  #flush(): void {
    if (this.#flushing) return;
    const now = this.#nowMs();
    const isStuck = this.#refusingMs !== undefined && now - this.#refusingMs >= STUCK_MS;
    const minBytes = (isStuck ? LEAST_FLUSH_SHARE : MIN_FLUSH_SHARE) * this.limitBytes;
    const rested = (part: MemoryPart) => now - (this.#flushedMs.get(part) ?? -FLUSH_EVERY_MS) >= FLUSH_EVERY_MS;
    const part = this.#parts
      .filter((each) => each.flush && rested(each) && each.memoryBytes() >= minBytes)
      .sort((a, b) => b.memoryBytes() - a.memoryBytes())[0];
    if (!part) return;
    this.#flushing = part;
    this.#flushedMs.set(part, now);
    this.#metrics.relieved("flush");
    (part.flush as () => Promise<void>)
      .call(part)
      // The part has said why, and tries again by itself.
      .catch(() => {})
      .finally(() => {
        this.#flushing = undefined;
      });
  }

  #shrink(): void {
    const now = this.#nowMs();
    if (now - this.#shrunkMs < SHRINK_EVERY_MS) return;
    this.#shrunkMs = now;
    this.#metrics.relieved("shrink");
    for (const part of this.#parts) part.shrink?.();
  }

  #refusal(): string {
    const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
    return (
      `the server takes ${mib(this.#rssBytes)} of the ${mib(this.limitBytes)} that memory_limit allows: ` +
      "send again later, or raise it"
    );
  }

  #report(before: Pressure): void {
    const rose = severity(this.#pressure) > severity(before);
    const now = this.#nowMs();
    if (!rose || severity(this.#pressure) < severity("refuse-writes") || now - this.#loggedMs < LOG_EVERY_MS) return;
    this.#loggedMs = now;
    const parts = Object.fromEntries(this.#parts.map((part) => [part.name, Math.round(part.memoryBytes())]));
    this.#options.logger.warn("near the memory limit: requests are refused until there is room", {
      rssBytes: this.#rssBytes,
      limitBytes: this.limitBytes,
      ...parts,
    });
  }
}

function heapUse(): number {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return used_heap_size / heap_size_limit;
}

function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
