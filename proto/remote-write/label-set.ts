import { type Label, type Labels, METRIC_NAME } from "@sightline/model/labels.ts";
import { Fault, invalid } from "../metrics/rejection-log.ts";
import type { SeriesInterner } from "../metrics/series-interner.ts";

const MAX_SHOWN = 200;

/** Of one series or exemplar. An empty label takes two bytes on the wire: bytes alone do not bound what one costs. */
export const MAX_LABELS = 2_000;
export const TOO_MANY_LABELS = invalid("labels", `a series or exemplar with more than ${MAX_LABELS} labels`);
export const INVALID_UTF8 = invalid("utf8", "a label name or value is not valid UTF-8");

/**
 * The labels of a series as they are kept: sorted, without empty values; or why the series is refused. The rules are
 * those of Prometheus' remote write receiver (storage/remote/write_handler.go): a metric name, no empty label name, no
 * name twice. Labels that come unsorted are taken.
 */
export function seriesLabels(pairs: readonly Label[], interner: SeriesInterner): Labels | Fault {
  const labels = exemplarLabels(pairs);
  if (labels instanceof Fault) return labels;
  if (!labels.some(([name]) => name === METRIC_NAME)) {
    return invalid("no-name", `series without a metric name: ${show(pairs)}; add the label ${METRIC_NAME}`);
  }
  return labels.map(([name, value]) => interner.label(name, value));
}

/** As {@link seriesLabels} for exemplars: they need no name, and their labels rarely come again. */
export function exemplarLabels(pairs: readonly Label[]): Label[] | Fault {
  const sorted = isSorted(pairs) ? pairs : [...pairs].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const labels: Label[] = [];
  let previous: string | undefined;
  for (const [name, value] of sorted) {
    if (name === "") return invalid("empty-label-name", `series with an empty label name: ${show(pairs)}`);
    if (name === previous) {
      return invalid("duplicate-label", `series with the label ${JSON.stringify(name)} twice: ${show(pairs)}`);
    }
    previous = name;
    if (value !== "") labels.push([name, value]);
  }
  return labels;
}

function isSorted(pairs: readonly Label[]): boolean {
  for (let i = 1; i < pairs.length; i++) if ((pairs[i] as Label)[0] < (pairs[i - 1] as Label)[0]) return false;
  return true;
}

function show(pairs: readonly Label[]): string {
  let text = "";
  for (const [name, value] of pairs) {
    text += `${text && ", "}${name}=${JSON.stringify(value.slice(0, MAX_SHOWN))}`;
    if (text.length > MAX_SHOWN) return `{${text.slice(0, MAX_SHOWN)}…}`;
  }
  return `{${text}}`;
}
