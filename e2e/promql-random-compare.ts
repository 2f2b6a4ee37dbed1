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

/** The first thing that differs, undefined when nothing does. */
export function firstDifference(want: PromAnswer, got: PromAnswer): string | undefined {
  if (want.status !== got.status) return `want ${statusText(want)}, got ${statusText(got)}`;
  if (want.status !== "success" || !want.data || !got.data) return undefined;
  const notes =
    noteDifference("warnings", want.warnings, got.warnings) ?? noteDifference("infos", want.infos, got.infos);
  return notes ?? dataDifference(want.data, got.data);
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
      values.length === own.length && (anyValue || values.every((value, index) => isSame(value, own[index] as string)))
    );
  });
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

function noteDifference(kind: string, want: readonly string[] = [], got: readonly string[] = []): string | undefined {
  if (want.length > 0 === got.length > 0) return undefined;
  return `${kind}: want ${JSON.stringify(want)}, got ${JSON.stringify(got)}`;
}

function dataDifference(
  want: NonNullable<PromAnswer["data"]>,
  got: NonNullable<PromAnswer["data"]>,
): string | undefined {
  if (want.resultType !== got.resultType) return `want a ${want.resultType}, got a ${got.resultType}`;
  if (want.resultType === "string")
    return JSON.stringify(want.result) === JSON.stringify(got.result) ? undefined : "string";
  if (want.resultType === "scalar") return pointDifference("", want.result as Point, got.result as Point);
  const theirs = want.result as readonly Series[];
  const ours = new Map((got.result as readonly Series[]).map((series) => [keyOf(series), series]));
  if (ours.size !== (got.result as readonly Series[]).length) return "got the same label set twice";
  for (const series of theirs) {
    const key = keyOf(series);
    const own = ours.get(key);
    if (!own) return `missing ${key}; got ${[...ours.keys()].slice(0, 3).join(" ")}${ours.size > 3 ? " …" : ""}`;
    const difference = seriesDifference(key, series, own);
    if (difference !== undefined) return difference;
    ours.delete(key);
  }
  for (const key of ours.keys()) return `did not want ${key}`;
  return undefined;
}

function keyOf({ metric }: Series): string {
  return JSON.stringify(Object.fromEntries(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function seriesDifference(key: string, want: Series, got: Series): string | undefined {
  const points = [pointsOf(want), pointsOf(got)] as const;
  const histograms = [histogramsOf(want), histogramsOf(got)] as const;
  for (const [a, b] of [points, histograms]) {
    if (a.length !== b.length) return `${key}: want ${a.length} points, got ${b.length}`;
  }
  for (const [index, point] of points[0].entries()) {
    const difference = pointDifference(key, point, points[1][index] as Point);
    if (difference !== undefined) return difference;
  }
  for (const [index, point] of histograms[0].entries()) {
    const difference = histogramDifference(key, point, histograms[1][index] as HistogramPoint);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function pointsOf({ value, values }: Series): readonly Point[] {
  return values ?? (value ? [value] : []);
}

function histogramsOf({ histogram, histograms }: Series): readonly HistogramPoint[] {
  return histograms ?? (histogram ? [histogram] : []);
}

function pointDifference(key: string, want: Point, got: Point): string | undefined {
  if (want[0] !== got[0]) return `${key}: want a point at ${want[0]}, got one at ${got[0]}`;
  return isSame(want[1], got[1]) ? undefined : `${key} at ${want[0]}: want ${want[1]}, got ${got[1]}`;
}

function histogramDifference(key: string, want: HistogramPoint, got: HistogramPoint): string | undefined {
  if (want[0] !== got[0]) return `${key}: want a histogram at ${want[0]}, got one at ${got[0]}`;
  const texts = `want ${JSON.stringify(want[1])}, got ${JSON.stringify(got[1])}`;
  const flat = ({ count, sum, buckets = [] }: HistogramJson) => [count, sum, ...buckets.flat().map(String)];
  const [a, b] = [flat(want[1]), flat(got[1])];
  const same = a.length === b.length && a.every((text, index) => isSame(text, b[index] as string));
  return same ? undefined : `${key} at ${want[0]}: ${texts}`;
}

function isSame(want: string, got: string): boolean {
  if (want === got) return true;
  const [a, b] = [Number(want), Number(got)];
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b), NOTHING);
}
