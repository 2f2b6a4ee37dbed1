import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { compareLabels, type Labels } from "@sightline/model/labels.ts";
import { Turn } from "../http/turn.ts";
import type { MatrixSeries } from "../promql/result.ts";
import type { Extent } from "./extent.ts";

/** What the extents so far have of one series. */
type Parts = { readonly labels: Labels; readonly parts: MatrixSeries[] };

/** Extents that ascend and do not overlap, as one over all of their steps. */
export async function joinExtents(extents: readonly Extent[]): Promise<readonly MatrixSeries[]> {
  const [first, ...others] = extents;
  if (!first) return [];
  if (others.length === 0) return first.series;
  const turn = new Turn();
  let all: Parts[] = first.series.map((part) => ({ labels: part.labels, parts: [part] }));
  for (const { series } of others) all = await mergeInOrder(all, series, turn);
  const times = new SharedTimes();
  const joined: MatrixSeries[] = [];
  for (const { labels, parts } of all) {
    joined.push(joinParts(labels, parts, times));
    await turn.rest();
  }
  return joined;
}

/** Both ascend by labels, and so does what comes out: sorting anew would take long at one go. */
async function mergeInOrder(known: readonly Parts[], next: readonly MatrixSeries[], turn: Turn): Promise<Parts[]> {
  const merged: Parts[] = [];
  let at = 0;
  for (const part of next) {
    let one = known[at];
    let order = one ? compareLabels(one.labels, part.labels) : 1;
    while (one && order < 0) {
      merged.push(one);
      one = known[++at];
      order = one ? compareLabels(one.labels, part.labels) : 1;
    }
    if (one && order === 0) {
      one.parts.push(part);
      merged.push(one);
      at++;
    } else merged.push({ labels: part.labels, parts: [part] });
    await turn.rest();
  }
  while (at < known.length) merged.push(known[at++] as Parts);
  return merged;
}

function joinParts(labels: Labels, parts: readonly MatrixSeries[], times: SharedTimes): MatrixSeries {
  if (parts.length === 1) return parts[0] as MatrixSeries;
  const timesMs = parts.map((part) => part.timesMs).reduce((a, b) => times.concat(a, b));
  const values = concat(parts.map((part) => part.values));
  const histograms = parts.flatMap((part) => part.histograms ?? []);
  if (histograms.length === 0) return { labels, timesMs, values };
  const histogramTimesMs = concat(histograms.map((part) => part.timesMs));
  return { labels, timesMs, values, histograms: { timesMs: histogramTimesMs, values: histograms.flatMap(valuesOf) } };
}

function valuesOf({ values }: { readonly values: readonly NativeHistogram[] }): readonly NativeHistogram[] {
  return values;
}

function concat(arrays: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(arrays.reduce((length, array) => length + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  return joined;
}

/** Most series of a result have the same times and share one array of them; so do they after joining. */
class SharedTimes {
  readonly #joined = new Map<Float64Array, Map<Float64Array, Float64Array>>();

  concat(a: Float64Array, b: Float64Array): Float64Array {
    let byNext = this.#joined.get(a);
    if (!byNext) {
      byNext = new Map();
      this.#joined.set(a, byNext);
    }
    let joined = byNext.get(b);
    if (!joined) {
      joined = concat([a, b]);
      byNext.set(b, joined);
    }
    return joined;
  }
}
