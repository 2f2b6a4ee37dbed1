import type { LabelMap } from "../alert.ts";
import { goQuote } from "./matchers/go-quote.ts";

/** In the order of bytes in UTF-8, as Go sorts. It differs from that of code units only beyond U+D7FF. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const isSurrogateX = x >= 0xd800 && x < 0xe000;
    const isSurrogateY = y >= 0xd800 && y < 0xe000;
    if (isSurrogateX !== isSurrogateY && x >= 0xd800 && y >= 0xd800) return isSurrogateX ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

export function sortedNames(labels: LabelMap): string[] {
  return Object.keys(labels).sort(compareText);
}

/**
 * A copy in which only labels are found: no `constructor`, no `__proto__`. Those without a value are left out, because no
 * value and no label are the same.
 */
export function labelMap(entries: Iterable<readonly [string, string]> | LabelMap): LabelMap {
  const labels: Record<string, string> = Object.create(null);
  const pairs = Symbol.iterator in entries ? (entries as Iterable<readonly [string, string]>) : Object.entries(entries);
  for (const [name, value] of pairs) if (value !== "") labels[name] = value;
  return labels;
}

export const NO_LABELS: LabelMap = Object.freeze(labelMap([]));

/** `{alertname="Down", job="api"}`, names sorted: part of a group's key (LabelSet.String of prometheus/common). */
export function formatLabelMap(labels: LabelMap): string {
  return `{${sortedNames(labels)
    .map((name) => `${name}=${goQuote(labels[name] as string)}`)
    .join(", ")}}`;
}

/**
 * How Alertmanager orders label sets (LabelSet.Before): the one with fewer labels first; at the first difference the one
 * that lacks the label, or has the lesser value.
 */
export function compareLabelMaps(a: LabelMap, b: LabelMap): number {
  const [namesA, namesB] = [sortedNames(a), sortedNames(b)];
  if (namesA.length !== namesB.length) return namesA.length - namesB.length;
  for (let i = 0; i < namesA.length; i++) {
    const [nameA, nameB] = [namesA[i] as string, namesB[i] as string];
    const order = compareText(nameB, nameA) || compareText(a[nameA] as string, b[nameB] as string);
    if (order !== 0) return order;
  }
  return 0;
}
