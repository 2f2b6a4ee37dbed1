import { Counter, Gauge, Histogram, type Registry } from "prom-client";

const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

/** What the store measures of itself; names as those of the embedded store where they mean the same. */
export class StoreTelemetry {
  readonly appended: Counter;
  readonly rejected: Counter<"reason">;
  readonly flushSeconds: Histogram;
  readonly packSeconds: Histogram;
  readonly packed: Counter;
  readonly merged: Counter;
  readonly deleted: Counter<"by">;
  readonly downsampleSeconds: Histogram;
  readonly downsampled: Counter;
  readonly failures: Counter<"work">;
  readonly pages: Counter<"result">;

  constructor(registry: Registry, state: () => { readonly samples: number; readonly series: number }) {
    const registers = [registry];
    const prefix = "sightline_metric_store_";
    this.appended = new Counter({ name: `${prefix}appended_samples_total`, help: "Samples taken in.", registers });
    this.rejected = new Counter({
      name: `${prefix}rejected_total`,
      help: "Samples refused for good.",
      labelNames: ["reason"],
      registers,
    });
    this.flushSeconds = new Histogram({
      name: `${prefix}flush_seconds`,
      help: "Writing the samples in memory to the database.",
      buckets: SECONDS,
      registers,
    });
    this.packSeconds = new Histogram({
      name: `${prefix}pack_seconds`,
      help: "Packing the rows of ten minutes into pages.",
      buckets: SECONDS,
      registers,
    });
    this.packed = new Counter({ name: `${prefix}packed_rows_total`, help: "Rows packed into pages.", registers });
    this.merged = new Counter({
      name: `${prefix}merged_pages_total`,
      help: "Pages merged into longer ones.",
      registers,
    });
    this.deleted = new Counter({
      name: `${prefix}retention_deleted_samples_total`,
      help: "Samples that were deleted because a tenant, or series by a rule, are kept for a shorter time than others.",
      labelNames: ["by"],
      registers,
    });
    this.downsampleSeconds = new Histogram({
      name: `${prefix}downsample_seconds`,
      help: "Downsampling some series of some days.",
      buckets: SECONDS,
      registers,
    });
    this.downsampled = new Counter({
      name: `${prefix}downsampled_series_total`,
      help: "Series that were downsampled, once for each day and resolution.",
      registers,
    });
    this.failures = new Counter({
      name: `${prefix}failures_total`,
      help: "Background work that failed and will be tried again.",
      labelNames: ["work"],
      registers,
    });
    this.pages = new Counter({
      name: `${prefix}page_cache_requests_total`,
      help: "Pages that queries needed, and whether they were kept decompressed: hit or miss.",
      labelNames: ["result"],
      registers,
    });
    new Gauge({
      name: `${prefix}head_samples`,
      help: "Samples in memory.",
      registers,
      collect() {
        this.set(state().samples);
      },
    });
    new Gauge({
      name: `${prefix}head_series`,
      help: "Series that the writer remembers.",
      registers,
      collect() {
        this.set(state().series);
      },
    });
  }
}
