import { UnavailableError } from "@sightline/model/errors.ts";
import type { AppendResult, Rejection } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { admit } from "./admission.ts";
import { HotBuffer } from "./hot-buffer.ts";
import type { SegmentCodec } from "./segment-codec.ts";
import type { SegmentRetention } from "./segment-retention.ts";
import type { SegmentWork } from "./segment-work.ts";
import type { SegmentedStoreConfig } from "./segmented-store-config.ts";
import type { StoreMetrics } from "./store-metrics.ts";

export type RowIntakeOptions<Batch> = {
  readonly config: Pick<SegmentedStoreConfig, "flush" | "max_future">;
  readonly codec: SegmentCodec<Batch, unknown>;
  readonly retention: SegmentRetention;
  readonly metrics: StoreMetrics;
  /** What has rows written when there are enough of them. */
  readonly work: Pick<SegmentWork, "isFlushFailing" | "wantFlush">;
  readonly nowMs: () => number;
};

const BACKLOG_RETRY_MS = 1_000;
/** What was let in before and is being decoded has to fit, too. */
const FULL_SHARE = 0.7;

/**
 * Takes rows in and keeps them in memory ("hot") until a flush has written them: nothing else adds to them, and only a
 * flush takes some away. Has one begin when there are many, and refuses more when too many wait for it.
 */
export class RowIntake<Batch extends { readonly length: number }> {
  readonly hot = new HotBuffer<Batch>();
  readonly #options: RowIntakeOptions<Batch>;
  #lastPosition = -1;
  #appendedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RowIntakeOptions<Batch>) {
    this.#options = options;
  }

  /** Of the write-ahead log, of what was taken in; -1 when nothing was. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  /** No rows have come for a moment, and too few wait to be written for that. */
  get isQuiet(): boolean {
    return this.#isAtRest && this.hot.rows < this.#options.config.flush.idle_rows;
  }

  /** Some have waited for long, or no more come. A few are found as fast in memory as in a file, and there would be many of these. */
  get isFlushDue(): boolean {
    const { max_age, idle_rows } = this.#options.config.flush;
    const oldest = this.hot.first;
    const isOld = oldest !== undefined && performance.now() - oldest.arrivedMs >= max_age;
    return isOld || (this.#isAtRest && this.hot.rows >= idle_rows);
  }

  /**
   * What segments up to `flushedPosition` have already is counted as accepted and ignored. Throws `UnavailableError` when
   * too many rows wait to be written already.
   */
  append(tenant: TenantId, batch: Batch, position: number, flushedPosition: number): AppendResult {
    const { config, codec, retention, metrics, work, nowMs } = this.#options;
    if (position <= flushedPosition) {
      metrics.replayed.inc(batch.length);
      return { accepted: batch.length, rejected: [] };
    }
    this.#checkBacklog();
    this.#lastPosition = Math.max(this.#lastPosition, position);
    const limits = { retention: retention.longestMs(tenant), max_future: config.max_future };
    const { kept, minNs, maxNs, rejected } = admit(batch, codec, limits, nowMs());
    this.#count(kept?.length ?? 0, rejected);
    if (!kept) return { accepted: 0, rejected };
    const bytes = codec.approximateBytes(kept);
    const arrivedMs = performance.now();
    this.#appendedAtMs = arrivedMs;
    this.hot.add(tenant, { batch: kept, position, rows: kept.length, bytes, minNs, maxNs, arrivedMs });
    if (this.hot.rows >= config.flush.max_rows || this.hot.bytes >= config.flush.max_bytes) work.wantFlush();
    return { accepted: kept.length, rejected };
  }

  /** Undefined while there is room for more; else why there will soon be none. */
  fullness(): string | undefined {
    return this.#backlogBeyond(FULL_SHARE);
  }

  get #isAtRest(): boolean {
    return performance.now() - this.#appendedAtMs >= this.#options.config.flush.idle;
  }

  #checkBacklog(): void {
    const tooMany = this.#backlogBeyond(1);
    if (tooMany === undefined) return;
    const isBusy = !this.#options.work.isFlushFailing;
    throw new UnavailableError(tooMany, { retryAfterMs: BACKLOG_RETRY_MS, isBusy });
  }

  /** Undefined as long as there are fewer rows than this share of what may wait to be written. */
  #backlogBeyond(share: number): string | undefined {
    const { config, codec, work } = this.#options;
    const { max_backlog, max_backlog_bytes } = config.flush;
    const { rows, bytes } = this.hot;
    if (rows < share * max_backlog && bytes < share * max_backlog_bytes) return undefined;
    work.wantFlush();
    const { signal } = codec;
    const keys = `storage.${signal}.flush.max_backlog (${max_backlog}) and max_backlog_bytes (${max_backlog_bytes})`;
    return `${rows} rows of ${signal}, about ${bytes} bytes, wait to be written to disk; ${keys} allow no more`;
  }

  #count(rows: number, rejected: readonly Rejection[]): void {
    const { metrics } = this.#options;
    metrics.rows.inc(rows);
    for (const { reason, count } of rejected) metrics.rejected.inc({ reason }, count);
    metrics.hotRows.set(this.hot.rows + rows);
  }
}
