import { Counter, Gauge, Histogram, type Registry } from "prom-client";

const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

/** What the metric store measures of itself. The gauges are asked when they are read. */
export class StoreTelemetry {
  readonly appended: Counter;
  readonly rejected: Counter<"reason">;
  readonly cutSeconds: Histogram;
  readonly mergeSeconds: Histogram;
  readonly failures: Counter<"work">;
  readonly corruptBlocks: Counter;
  readonly corruptSamples: Counter;
  readonly removedBlocks: Counter;

  constructor(registry: Registry, read: () => StoreState) {
    const metric = (name: string, help: string) => ({
      name: `sightline_metric_store_${name}`,
      help,
      registers: [registry],
    });
    const gauge = (name: string, help: string, value: (state: StoreState) => number) =>
      new Gauge({
        ...metric(name, help),
        collect() {
          this.set(value(read()));
        },
      });
    gauge("head_series", "Series in memory.", ({ headSeries }) => headSeries);
    gauge("head_samples", "Samples in memory.", ({ headSamples }) => headSamples);
    gauge("head_bytes", "Memory of the samples in memory, about.", ({ headBytes }) => headBytes);
    gauge("blocks", "Block files.", ({ blocks }) => blocks);
    gauge("block_samples", "Samples in block files.", ({ blockSamples }) => blockSamples);
    gauge("block_bytes", "Size of the block files.", ({ blockBytes }) => blockBytes);
    gauge("cache_bytes", "Memory of cached parts of block files.", ({ cacheBytes }) => cacheBytes);
    this.appended = new Counter(metric("appended_samples_total", "Samples taken in."));
    this.rejected = new Counter({
      ...metric("rejected_total", "Samples, exemplars and metadata refused for good."),
      labelNames: ["reason"],
    });
    this.cutSeconds = new Histogram({
      ...metric("cut_seconds", "Writing the samples in memory to block files."),
      buckets: SECONDS,
    });
    this.mergeSeconds = new Histogram({ ...metric("merge_seconds", "Merging block files."), buckets: SECONDS });
    this.failures = new Counter({
      ...metric("failures_total", "Background work that failed and will be tried again."),
      labelNames: ["work"],
    });
    this.corruptBlocks = new Counter(metric("corrupt_blocks_total", "Block files put aside because they are damaged."));
    this.corruptSamples = new Counter(
      metric("corrupt_samples_total", "Samples in these files, which are not served any more."),
    );
    this.removedBlocks = new Counter(
      metric("removed_blocks_total", "Block files deleted because they are older than the retention."),
    );
  }
}

export type StoreState = {
  readonly headSeries: number;
  readonly headSamples: number;
  readonly headBytes: number;
  readonly blocks: number;
  readonly blockSamples: number;
  readonly blockBytes: number;
  readonly cacheBytes: number;
};
