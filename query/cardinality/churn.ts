import { labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";

export type MetricChurn = { readonly name: string; readonly added: number; readonly ended: number };
export type ChurnReport = {
  /** Series with samples before and after the moment. */
  readonly kept: number;
  readonly added: number;
  readonly ended: number;
  /** Metrics with the most comings and goings first. */
  readonly byMetric: readonly MetricChurn[];
};

/** How series came and went: those with samples only after `momentMs` were added, those with samples only before ended. */
export class Churn {
  readonly #momentMs: number;
  readonly #byMetric = new Map<string, { added: number; ended: number }>();
  #kept = 0;

  constructor(momentMs: number) {
    this.#momentMs = momentMs;
  }

  count({ labels, timesMs, histograms }: SeriesSlice): void {
    const firstMs = Math.min(
      timesMs[0] ?? Number.POSITIVE_INFINITY,
      histograms?.timesMs[0] ?? Number.POSITIVE_INFINITY,
    );
    const lastMs = Math.max(
      timesMs.at(-1) ?? Number.NEGATIVE_INFINITY,
      histograms?.timesMs.at(-1) ?? Number.NEGATIVE_INFINITY,
    );
    const isOld = firstMs < this.#momentMs;
    const isAlive = lastMs >= this.#momentMs;
    if (isOld && isAlive) {
      this.#kept++;
      return;
    }
    const name = labelValue(labels, METRIC_NAME);
    let metric = this.#byMetric.get(name);
    if (!metric) {
      metric = { added: 0, ended: 0 };
      this.#byMetric.set(name, metric);
    }
    if (isAlive) metric.added++;
    else metric.ended++;
  }

  report(limit: number): ChurnReport {
    const metrics = [...this.#byMetric].map(([name, counts]) => ({ name, ...counts }));
    const sum = (of: (metric: MetricChurn) => number) => metrics.reduce((total, metric) => total + of(metric), 0);
    const changes = ({ added, ended }: MetricChurn) => added + ended;
    metrics.sort((a, b) => changes(b) - changes(a) || (a.name < b.name ? -1 : 1));
    const byMetric = metrics.slice(0, limit);
    return { kept: this.#kept, added: sum(({ added }) => added), ended: sum(({ ended }) => ended), byMetric };
  }
}
