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
    const metric = (name: string, help: string) => ({
      name: `sightline_metric_store_${name}`,
      help,
      registers: [registry],
    });
    this.appended = new Counter(metric("appended_samples_total", "Samples taken in."));
    this.rejected = new Counter({ ...metric("rejected_total", "Samples refused for good."), labelNames: ["reason"] });
    this.flushSeconds = new Histogram({
      ...metric("flush_seconds", "Writing the samples in memory to the database."),
      buckets: SECONDS,
    });
    this.packSeconds = new Histogram({
      ...metric("pack_seconds", "Packing the rows of ten minutes into pages."),
      buckets: SECONDS,
    });
    this.packed = new Counter(metric("packed_rows_total", "Rows packed into pages."));
    this.merged = new Counter(metric("merged_pages_total", "Pages merged into longer ones."));
    this.deleted = new Counter({
      ...metric(
        "retention_deleted_samples_total",
        "Samples that were deleted because a tenant, or series by a rule, are kept for a shorter time than others.",
      ),
      labelNames: ["by"],
    });
    this.downsampleSeconds = new Histogram({
      ...metric("downsample_seconds", "Downsampling some series of some days."),
      buckets: SECONDS,
    });
    this.downsampled = new Counter(
      metric("downsampled_series_total", "Series that were downsampled, once for each day and resolution."),
    );
    this.failures = new Counter({
      ...metric("failures_total", "Background work that failed and will be tried again."),
      labelNames: ["work"],
    });
    this.pages = new Counter({
      ...metric(
        "page_cache_requests_total",
        "Pages that queries needed, and whether they were kept decompressed: hit or miss.",
      ),
      labelNames: ["result"],
    });
    new Gauge({
      ...metric("head_samples", "Samples in memory."),
      collect() {
        this.set(state().samples);
      },
    });
    new Gauge({
      ...metric("head_series", "Series that the writer remembers."),
      collect() {
        this.set(state().series);
      },
    });
  }
}
