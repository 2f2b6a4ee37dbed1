import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { Signal } from "@sightline/model/ports.ts";
import { withoutMetricRows } from "../processors/keep-rows.ts";
import { RowSet } from "../processors/row-set.ts";
import type { Pass, Stage } from "../processors/stage.ts";

export type Windows = { readonly out_of_order_window_ms: number; readonly future_window_ms: number };

/** Counts what lies outside of the windows around the time of receipt, so that a replay refuses the same rows. */
export class TimeWindows {
  readonly #windows: Windows;
  readonly #signal: Signal;
  readonly #oldestMs: number;
  readonly #newestMs: number;
  tooOld = 0;
  tooNew = 0;

  constructor(windows: Windows, signal: Signal, receivedAtMs: number) {
    this.#windows = windows;
    this.#signal = signal;
    const { out_of_order_window_ms: past, future_window_ms: future } = windows;
    this.#oldestMs = past > 0 ? receivedAtMs - past : Number.NEGATIVE_INFINITY;
    this.#newestMs = future > 0 ? receivedAtMs + future : Number.POSITIVE_INFINITY;
  }

  isOutside(timeMs: number): boolean {
    if (timeMs < this.#oldestMs) this.tooOld++;
    else if (timeMs > this.#newestMs) this.tooNew++;
    else return false;
    return true;
  }

  report(pass: Pass): void {
    const { out_of_order_window_ms: past, future_window_ms: future } = this.#windows;
    const key = `limits.${this.#signal}`;
    pass.reject(
      "too_old",
      this.tooOld,
      `older than ${key}.out_of_order_window_ms (${past}) allows: send sooner or raise it`,
    );
    pass.reject(
      "too_new",
      this.tooNew,
      `further in the future than ${key}.future_window_ms (${future}) allows: set the clock`,
    );
  }
}

export function metricWindows(windows: Windows): Stage<MetricBatch> | undefined {
  if (windows.out_of_order_window_ms + windows.future_window_ms === 0) return undefined;
  return {
    name: "time_windows",
    apply(batch, _decision, pass) {
      const bounds = new TimeWindows(windows, "metrics", pass.receivedAtMs);
      const dropped = new RowSet(batch.length + batch.histograms.length);
      for (let row = 0; row < batch.length; row++) {
        if (bounds.isOutside(batch.timesMs[row] as number)) dropped.add(row);
      }
      for (const [i, { timeMs }] of batch.histograms.entries())
        if (bounds.isOutside(timeMs)) dropped.add(batch.length + i);
      bounds.report(pass);
      return withoutMetricRows(batch, dropped);
    },
  };
}
