import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Segment } from "./segment-directory.ts";

/** What a store of segments tells of itself; names begin with `sightline_logs_store_` or `sightline_traces_store_`. */
export class StoreMetrics {
  readonly rows: Counter;
  readonly replayed: Counter;
  readonly rejected: Counter<"reason">;
  readonly flushes: Counter<"result">;
  readonly flushSeconds: Histogram;
  readonly compactions: Counter<"result">;
  readonly expired: Counter;
  readonly deleted: Counter;
  readonly quarantined: Counter;
  readonly quarantinedRows: Counter;
  readonly hotRows: Gauge;
  readonly hotBytes: Gauge;
  readonly segments: Gauge;
  readonly segmentBytes: Gauge;

  constructor(registry: Registry, signal: "logs" | "traces") {
    const registers = [registry];
    const metric = (name: string, help: string) => ({ name: `sightline_${signal}_store_${name}`, help, registers });
    this.rows = new Counter(metric("rows_total", "Rows taken in."));
    this.replayed = new Counter(metric("replayed_rows_total", "Rows ignored because segments had them already."));
    this.rejected = new Counter({
      ...metric("rejected_rows_total", "Rows refused, by reason."),
      labelNames: ["reason"],
    });
    this.flushes = new Counter({
      ...metric("flushes_total", "Times rows in memory were written as segments."),
      labelNames: ["result"],
    });
    this.flushSeconds = new Histogram({
      ...metric("flush_seconds", "How long that took."),
      buckets: [0.05, 0.2, 0.5, 1, 2, 5, 10, 30],
    });
    this.compactions = new Counter({
      ...metric("compactions_total", "Times small segments were merged."),
      labelNames: ["result"],
    });
    this.expired = new Counter(metric("expired_rows_total", "Rows dropped because they are older than the retention."));
    this.deleted = new Counter(metric("deleted_rows_total", "Rows hidden by requests to delete them."));
    this.quarantined = new Counter(metric("quarantined_segments_total", "Segments given up because of damage."));
    this.quarantinedRows = new Counter(
      metric("quarantined_rows_total", "Rows in segments given up because of damage."),
    );
    this.hotRows = new Gauge(metric("hot_rows", "Rows that are in memory only."));
    this.hotBytes = new Gauge(metric("hot_bytes", "Estimated size of these rows."));
    this.segments = new Gauge(metric("segments", "Segment files of all tenants."));
    this.segmentBytes = new Gauge(metric("segment_bytes", "Size of all segment files."));
  }

  /** What there is now, in memory and in files. */
  setSizes(hot: { readonly rows: number; readonly bytes: number }, segments: readonly Segment[]): void {
    this.hotRows.set(hot.rows);
    this.hotBytes.set(hot.bytes);
    this.segments.set(segments.length);
    this.segmentBytes.set(segments.reduce((bytes, { info }) => bytes + info.bytes, 0));
  }
}
