/**
 * A label set: pairs sorted by name in byte order of UTF-8 (for names of the usual kind: plain `<`), names unique,
 * values never empty (an empty value means "no such label", as in Prometheus). Immutable once shared.
 */
export type Labels = readonly Label[];
export type Label = readonly [name: string, value: string];

export const METRIC_NAME = "__name__";
export const EMPTY_LABELS: Labels = [];

/** Sorts, and drops labels with an empty value. Throws nothing; on duplicate names the last one wins. */
export function labelsFrom(entries: Iterable<Label> | Readonly<Record<string, string>>): Labels {
  const pairs = Symbol.iterator in entries ? entries : Object.entries(entries);
  const byName = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (value === "") byName.delete(name);
    else byName.set(name, value);
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The value of a label, or "" when it is missing: matchers can't tell the two apart. */
export function labelValue(labels: Labels, name: string): string {
  for (const [key, value] of labels) if (key === name) return value;
  return "";
}

/** A string that is equal for equal label sets and different for different ones; not for display. */
export function labelsKey(labels: Labels): string {
  let key = "";
  for (const [name, value] of labels) key += `${name}\u0001${value}\u0002`;
  return key;
}

/** Pair by pair, in their order. */
export function sameLabels(a: Labels, b: Labels): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [nameA, valueA] = a[i] as Label;
    const [nameB, valueB] = b[i] as Label;
    if (valueA !== valueB || nameA !== nameB) return false;
  }
  return true;
}

/** Prometheus' order of label sets: pair by pair by name then value, the shorter first. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [nameA, valueA] = a[i] as Label;
    const [nameB, valueB] = b[i] as Label;
    if (nameA !== nameB) return nameA < nameB ? -1 : 1;
    if (valueA !== valueB) return valueA < valueB ? -1 : 1;
  }
  return a.length - b.length;
}

export function labelsToObject(labels: Labels): Record<string, string> {
  return Object.fromEntries(labels);
}

/** `name{a="b"}` as Prometheus prints a series in messages. */
export function formatLabels(labels: Labels): string {
  const name = labelValue(labels, METRIC_NAME);
  const rest = labels.filter(([key]) => key !== METRIC_NAME).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return rest.length > 0 || name === "" ? `${name}{${rest.join(", ")}}` : name;
}
