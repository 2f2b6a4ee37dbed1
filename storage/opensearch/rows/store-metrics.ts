import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** What a store tells of itself, under the names that the embedded stores use; see `sightline_opensearch_…` for requests. */
export class StoreMetrics {
  readonly rows: Counter;
  readonly replayed: Counter;
  readonly rejected: Counter<"reason">;
  readonly flushes: Counter<"result">;
  readonly flushSeconds: Histogram;
  readonly retried: Counter;
  readonly deadLetters: Counter;
  readonly deleted: Counter;
  readonly expiredIndexes: Counter;
  readonly expiredRows: Counter;
  readonly hotRows: Gauge;
  readonly hotBytes: Gauge;
  readonly connected: Gauge;

  constructor(registry: Registry, signal: "logs" | "traces") {
    const registers = [registry];
    const metric = (name: string, help: string) => ({ name: `sightline_${signal}_store_${name}`, help, registers });
    this.rows = new Counter(metric("rows_total", "Rows taken in."));
    this.replayed = new Counter(metric("replayed_rows_total", "Rows ignored because OpenSearch had them already."));
    this.rejected = new Counter({
      ...metric("rejected_rows_total", "Rows refused, by reason."),
      labelNames: ["reason"],
    });
    this.flushes = new Counter({
      ...metric("flushes_total", "Times rows in memory were sent to OpenSearch."),
      labelNames: ["result"],
    });
    this.flushSeconds = new Histogram({
      ...metric("flush_seconds", "How long that took until queries found them there."),
      buckets: [0.05, 0.2, 0.5, 1, 2, 5, 10, 30],
    });
    this.retried = new Counter(
      metric("retried_rows_total", "Rows sent again because OpenSearch had no room for them."),
    );
    this.deadLetters = new Counter(
      metric("dead_letter_rows_total", "Rows that OpenSearch refuses for good, put aside in an index of their own."),
    );
    this.deleted = new Counter(metric("deleted_rows_total", "Rows hidden by requests to delete them."));
    this.expiredIndexes = new Counter(
      metric("expired_indexes_total", "Indexes dropped because all in them was too old."),
    );
    this.expiredRows = new Counter(
      metric("expired_rows_total", "Rows removed before their index, by the retention of their tenant or selector."),
    );
    this.hotRows = new Gauge(metric("hot_rows", "Rows that are in memory only."));
    this.hotBytes = new Gauge(metric("hot_bytes", "Estimated size of these rows."));
    this.connected = new Gauge(
      metric("connected", "1 once the templates are in place and this writer's place is known."),
    );
  }
}
