import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export class WalMetrics {
  readonly appendedRecords: Counter;
  readonly appendedBytes: Counter;
  readonly failures: Counter<"operation">;
  readonly refused: Counter;
  readonly damagedRecords: Counter<"kind">;
  readonly groupSeconds: Histogram;
  readonly groupRecords: Histogram;

  constructor(registry: Registry, log: { bytes(): number; segments(): number }) {
    const registers = [registry];
    this.appendedRecords = new Counter({
      name: "sightline_wal_appended_records_total",
      help: "Requests made durable in the write-ahead log",
      registers,
    });
    this.appendedBytes = new Counter({
      name: "sightline_wal_appended_bytes_total",
      help: "Bytes made durable in the write-ahead log",
      registers,
    });
    this.failures = new Counter({
      name: "sightline_wal_failures_total",
      help: "File operations of the write-ahead log that failed; the requests concerned were not acknowledged",
      labelNames: ["operation"],
      registers,
    });
    this.refused = new Counter({
      name: "sightline_wal_full_total",
      help: "Requests refused because collector.wal.max_bytes was reached",
      registers,
    });
    this.damagedRecords = new Counter({
      name: "sightline_wal_damaged_total",
      help: "Damaged places skipped while reading the log: torn at its very end after a crash, corrupt elsewhere",
      labelNames: ["kind"],
      registers,
    });
    this.groupSeconds = new Histogram({
      name: "sightline_wal_group_commit_seconds",
      help: "Time to write and sync one group of requests",
      buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    });
    this.groupRecords = new Histogram({
      name: "sightline_wal_group_commit_records",
      help: "Requests that shared one sync",
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
      registers,
    });
    new Gauge({
      name: "sightline_wal_bytes",
      help: "Bytes the write-ahead log holds",
      registers,
      collect() {
        this.set(log.bytes());
      },
    });
    new Gauge({
      name: "sightline_wal_segments",
      help: "Segment files the write-ahead log holds",
      registers,
      collect() {
        this.set(log.segments());
      },
    });
  }
}
