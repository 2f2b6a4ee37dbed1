/** Fewer values are sorted. */
const MIN_SELECTED = 64;

/**
 * The quantile of `values` with linear interpolation between ranks, as Prometheus' quantile(): NaN sorts first, a
 * quantile outside 0…1 gives an infinity. Puts `values`, which must not be empty, in another order.
 */
export function quantileOf(quantile: number, values: Float64Array): number {
  if (values.length === 0 || Number.isNaN(quantile)) return Number.NaN;
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  const rank = quantile * (values.length - 1);
  const lower = Math.max(0, Math.floor(rank));
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - Math.floor(rank);
  if (values.length < MIN_SELECTED) sortNanFirst(values);
  else selectNanFirst(values, lower, upper);
  return (values[lower] as number) * (1 - weight) + (values[upper] as number) * weight;
}

/** Typed arrays sort NaN last. */
function sortNanFirst(values: Float64Array): void {
  values.sort();
  let nans = 0;
  while (nans < values.length && Number.isNaN(values[values.length - 1 - nans])) nans++;
  if (nans === 0) return;
  values.copyWithin(nans, 0, values.length - nans);
  values.fill(Number.NaN, 0, nans);
}

/** Brings what sorting would put at `lower`, and at `upper`, which is the same or the next, to these places. */
function selectNanFirst(values: Float64Array, lower: number, upper: number): void {
  let nans = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i] as number)) swap(values, i, nans++);
  }
  if (lower >= nans) select(values, nans, values.length - 1, lower);
  if (upper === lower || upper < nans) return;
  // All after `lower` are at least as large, so the next is the smallest of them.
  let least = upper;
  for (let i = upper + 1; i < values.length; i++) if ((values[i] as number) < (values[least] as number)) least = i;
  swap(values, upper, least);
}

/** Hoare's selection: afterwards no value from `low` to `at` is larger than `values[at]`, and none up to `high` smaller. */
function select(values: Float64Array, low: number, high: number, at: number): void {
  let [from, to] = [low, high];
  // What takes more parts than this is made to be slow.
  for (let parts = 4 * Math.ceil(Math.log2(high - low + 2)); from < to; parts--) {
    if (parts === 0) {
      values.subarray(from, to + 1).sort();
      return;
    }
    const pivot = medianOf(values[from] as number, values[(from + to) >>> 1] as number, values[to] as number);
    let [left, right] = [from, to];
    while (left <= right) {
      while ((values[left] as number) < pivot) left++;
      while ((values[right] as number) > pivot) right--;
      if (left <= right) swap(values, left++, right--);
    }
    if (at <= right) to = right;
    else if (at >= left) from = left;
    else return;
  }
}

function medianOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function swap(values: Float64Array, a: number, b: number): void {
  const value = values[a] as number;
  values[a] = values[b] as number;
  values[b] = value;
}
