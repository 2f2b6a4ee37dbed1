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
    const registers = [registry];
    const prefix = "sightline_metric_store_";
    const gauge = (name: string, help: string, value: (state: StoreState) => number) =>
      new Gauge({
        name: `${prefix}${name}`,
        help,
        registers,
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
    this.appended = new Counter({ name: `${prefix}appended_samples_total`, help: "Samples taken in.", registers });
    this.rejected = new Counter({
      name: `${prefix}rejected_total`,
      help: "Samples, exemplars and metadata refused for good.",
      labelNames: ["reason"],
      registers,
    });
    this.cutSeconds = new Histogram({
      name: `${prefix}cut_seconds`,
      help: "Writing the samples in memory to block files.",
      buckets: SECONDS,
      registers,
    });
    this.mergeSeconds = new Histogram({
      name: `${prefix}merge_seconds`,
      help: "Merging block files.",
      buckets: SECONDS,
      registers,
    });
    this.failures = new Counter({
      name: `${prefix}failures_total`,
      help: "Background work that failed and will be tried again.",
      labelNames: ["work"],
      registers,
    });
    this.corruptBlocks = new Counter({
      name: `${prefix}corrupt_blocks_total`,
      help: "Block files put aside because they are damaged.",
      registers,
    });
    this.corruptSamples = new Counter({
      name: `${prefix}corrupt_samples_total`,
      help: "Samples in these files, which are not served any more.",
      registers,
    });
    this.removedBlocks = new Counter({
      name: `${prefix}removed_blocks_total`,
      help: "Block files deleted because they are older than the retention.",
      registers,
    });
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
