/** Compares two answers of the Prometheus query API, value by value. */
export type PromAnswer = {
  readonly status: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
  readonly data?: { readonly resultType: string; readonly result: unknown };
};

type Point = readonly [time: number, value: string];
type HistogramPoint = readonly [time: number, value: HistogramJson];
type HistogramJson = {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [rule: number, low: string, high: string, count: string])[];
};
type Series = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Point;
  readonly values?: readonly Point[];
  readonly histogram?: HistogramPoint;
  readonly histograms?: readonly HistogramPoint[];
};

export const TOLERANCE = 1e-12;
/** Below this, numbers are what rounding left of larger ones that cancelled out. */
const NOTHING = 1e-300;

/** `relative` is how far apart two values are, where that is all that differs. */
export type Difference = { readonly text: string; readonly relative?: number };

/** The first thing that differs, undefined when nothing does. Values may be apart by `tolerance` of the larger one. */
export function firstDifference(want: PromAnswer, got: PromAnswer, tolerance = TOLERANCE): Difference | undefined {
  if (want.status !== got.status) return { text: `want ${statusText(want)}, got ${statusText(got)}` };
  if (want.status !== "success" || !want.data || !got.data) return undefined;
  const notes =
    noteDifference("warnings", want.warnings, got.warnings) ?? noteDifference("infos", want.infos, got.infos);
  return notes ?? dataDifference(want.data, got.data, tolerance);
}

/**
 * Whether the answers have as many points at each time and, unless `anyValue`, the same values, whichever series they are of.
 */
export function sameButForSeries(want: PromAnswer, got: PromAnswer, anyValue: boolean): boolean {
  if (want.status !== "success" || got.status !== "success" || !want.data || !got.data)
    return want.status === got.status;
  const [a, b] = [valuesByTime(want.data.result as Series[]), valuesByTime(got.data.result as Series[])];
  if (a.size !== b.size) return false;
  return [...a].every(([time, values]) => {
    const own = b.get(time) ?? [];
    return (
      values.length === own.length &&
      (anyValue || values.every((value, index) => distance(value, own[index] as string) <= TOLERANCE))
    );
  });
}

/** Of all series and times, whatever its sign; 0 when there is none. Infinite ones don't count. */
export function largestValue({ data }: PromAnswer): number {
  const values = ((data?.result ?? []) as readonly Series[])
    .flatMap(pointsOf)
    .map(([, value]) => Math.abs(Number(value)));
  return Math.max(0, ...values.filter(Number.isFinite));
}

function valuesByTime(result: readonly Series[]): Map<number, string[]> {
  const byTime = new Map<number, string[]>();
  const add = (time: number, value: string) => byTime.set(time, [...(byTime.get(time) ?? []), value]);
  for (const series of result) {
    for (const [time, value] of pointsOf(series)) add(time, value);
    for (const [time, { count, sum }] of histogramsOf(series)) add(time, `${count} ${sum}`);
  }
  for (const values of byTime.values()) values.sort();
  return byTime;
}

function statusText({ status, error }: PromAnswer): string {
  return error === undefined ? status : `error ${JSON.stringify(error)}`;
}

function noteDifference(
  kind: string,
  want: readonly string[] = [],
  got: readonly string[] = [],
): Difference | undefined {
  if (want.length > 0 === got.length > 0) return undefined;
  return { text: `${kind}: want ${JSON.stringify(want)}, got ${JSON.stringify(got)}` };
}

type Data = NonNullable<PromAnswer["data"]>;

function dataDifference(want: Data, got: Data, tolerance: number): Difference | undefined {
  if (want.resultType !== got.resultType) return { text: `want a ${want.resultType}, got a ${got.resultType}` };
  if (want.resultType === "string")
    return JSON.stringify(want.result) === JSON.stringify(got.result) ? undefined : { text: "another string" };
  if (want.resultType === "scalar") return pointDifference("", want.result as Point, got.result as Point, tolerance);
  const ours = new Map((got.result as readonly Series[]).map((series) => [keyOf(series), series]));
  if (ours.size !== (got.result as readonly Series[]).length) return { text: "got the same label set twice" };
  let first: Difference | undefined;
  for (const series of want.result as readonly Series[]) {
    const key = keyOf(series);
    const own = ours.get(key);
    if (!own) return { text: `missing ${key}; got ${[...ours.keys()].slice(0, 3).join(" ")}` };
    ours.delete(key);
    const difference = seriesDifference(key, series, own, tolerance);
    if (difference && difference.relative === undefined) return difference;
    if ((difference?.relative ?? -1) > (first?.relative ?? -1)) first = difference;
  }
  for (const key of ours.keys()) return { text: `did not want ${key}` };
  return first;
}

function keyOf({ metric }: Series): string {
  return JSON.stringify(Object.fromEntries(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** The largest difference of values, or another one. */
function seriesDifference(key: string, want: Series, got: Series, tolerance: number): Difference | undefined {
  const points = [pointsOf(want), pointsOf(got)] as const;
  const histograms = [histogramsOf(want), histogramsOf(got)] as const;
  for (const [a, b] of [points, histograms]) {
    if (a.length !== b.length) return { text: `${key}: want ${a.length} points, got ${b.length}` };
  }
  const differences = [
    ...points[0].map((point, index) => pointDifference(key, point, points[1][index] as Point, tolerance)),
    ...histograms[0].map((point, index) =>
      histogramDifference(key, point, histograms[1][index] as HistogramPoint, tolerance),
    ),
  ].filter((difference) => difference !== undefined);
  const size = ({ relative = Number.POSITIVE_INFINITY }: Difference) => relative;
  return differences.length === 0 ? undefined : differences.reduce((a, b) => (size(b) > size(a) ? b : a));
}

function pointsOf({ value, values }: Series): readonly Point[] {
  return values ?? (value ? [value] : []);
}

function histogramsOf({ histogram, histograms }: Series): readonly HistogramPoint[] {
  return histograms ?? (histogram ? [histogram] : []);
}

function pointDifference(key: string, want: Point, got: Point, tolerance: number): Difference | undefined {
  if (want[0] !== got[0]) return { text: `${key}: want a point at ${want[0]}, got one at ${got[0]}` };
  return apart(`${key} at ${want[0]}: want ${want[1]}, got ${got[1]}`, distance(want[1], got[1]), tolerance);
}

function histogramDifference(
  key: string,
  want: HistogramPoint,
  got: HistogramPoint,
  tolerance: number,
): Difference | undefined {
  if (want[0] !== got[0]) return { text: `${key}: want a histogram at ${want[0]}, got one at ${got[0]}` };
  const text = `${key} at ${want[0]}: want ${JSON.stringify(want[1])}, got ${JSON.stringify(got[1])}`;
  const [a, b] = [flat(want[1], got[1]), flat(got[1], want[1])];
  if (a.length !== b.length) return { text };
  return apart(text, Math.max(...a.map((value, index) => distance(value, b[index] as string))), tolerance);
}

/**
 * Without buckets that are NaN here and absent there. They are empty ones times NaN: Prometheus has these where other histograms
 * of the same chunk of its storage have some in them, so that it answers otherwise once the chunk is another.
 */
function flat({ count, sum, buckets = [] }: HistogramJson, { buckets: others = [] }: HistogramJson): string[] {
  const bounds = (bucket: readonly unknown[]) => bucket.slice(0, 3).join();
  const known = new Set(others.map(bounds));
  const compared = buckets.filter((bucket) => bucket[3] !== "NaN" || known.has(bounds(bucket)));
  return [count, sum, ...compared.flat().map(String)];
}

function apart(text: string, relative: number, tolerance: number): Difference | undefined {
  if (relative <= tolerance) return undefined;
  return Number.isFinite(relative) ? { text, relative } : { text };
}

/** How far apart two numbers are, as a part of the larger; Infinity when one of them is no number or infinite. */
function distance(want: string, got: string): number {
  if (want === got) return 0;
  const [a, b] = [Number(want), Number(got)];
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Number.POSITIVE_INFINITY;
  return Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), NOTHING);
}
