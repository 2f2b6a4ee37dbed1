import { type Labels, METRIC_NAME } from "@sightline/model/labels.ts";
import { Turn } from "../http/turn.ts";
import { type NamedCount, TopCounts } from "./top-counts.ts";

/** What series cost by their labels: the lists of Prometheus' `status/tsdb`. */
export type CardinalityReport = {
  readonly series: number;
  /** Distinct pairs of a label and its value. */
  readonly labelPairs: number;
  readonly seriesByMetric: readonly NamedCount[];
  readonly valuesByLabel: readonly NamedCount[];
  /** Bytes of names and values as Prometheus holds them in memory, counted for every series that has them. */
  readonly bytesByLabel: readonly NamedCount[];
  readonly seriesByPair: readonly NamedCount[];
};

/** Counts labels in turns short enough for the event loop. `offset` and `limit` cut each list. */
export async function reportCardinality(
  series: readonly Labels[],
  page: { readonly offset: number; readonly limit: number },
  signal: AbortSignal,
): Promise<CardinalityReport> {
  const turn = new Turn();
  const rest = async () => {
    await turn.rest();
    signal.throwIfAborted();
  };
  const byName = new Map<string, Map<string, number>>();
  for (const [index, labels] of series.entries()) {
    if ((index & 255) === 0) await rest();
    for (const [name, value] of labels) {
      let values = byName.get(name);
      if (!values) {
        values = new Map();
        byName.set(name, values);
      }
      values.set(value, (values.get(value) ?? 0) + 1);
    }
  }
  const top = () => new TopCounts(page.offset + page.limit);
  const [metrics, labels, bytes, pairs] = [top(), top(), top(), top()];
  let labelPairs = 0;
  for (const [name, values] of byName) {
    labels.add(name, values.size);
    let size = 0;
    for (const [value, count] of values) {
      if ((++labelPairs & 1023) === 0) await rest();
      if (name === METRIC_NAME) metrics.add(value, count);
      pairs.add(`${name}=${value}`, count);
      size += (storedBytes(name) + storedBytes(value)) * count;
    }
    bytes.add(name, size);
  }
  const cut = (counts: TopCounts) => counts.sorted().slice(page.offset);
  return {
    series: series.length,
    labelPairs,
    seriesByMetric: cut(metrics),
    valuesByLabel: cut(labels),
    bytesByLabel: cut(bytes),
    seriesByPair: cut(pairs),
  };
}

/** A text and its length before it, which takes one byte as long as it fits (model/labels/labels_stringlabels.go). */
function storedBytes(text: string): number {
  const bytes = Buffer.byteLength(text);
  return bytes + (bytes < 255 ? 1 : 4);
}
