/** A body of Prometheus' query API. */
export type PrometheusAnswer = {
  readonly status: "success" | "error";
  readonly data: QueryData;
  readonly errorType?: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
};
export type QueryData =
  | { readonly resultType: "scalar"; readonly result: Point }
  | { readonly resultType: "string"; readonly result: Point }
  | { readonly resultType: "vector"; readonly result: readonly Series[] }
  | { readonly resultType: "matrix"; readonly result: readonly Series[] };

type Point = readonly [seconds: number, value: string];
type HistogramPoint = readonly [seconds: number, histogram: Histogram];
type Histogram = {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [boundaries: number, lower: string, upper: string, count: string])[];
};
type Series = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Point;
  readonly histogram?: HistogramPoint;
  readonly values?: readonly Point[];
  readonly histograms?: readonly HistogramPoint[];
};

const OLD_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
/** Which bounds of a bucket belong to it, by the first element of its JSON. */
const BRACKETS = [
  ["(", "]"],
  ["[", ")"],
  ["(", ")"],
  ["[", "]"],
] as const;

/** The result as `promtool query` prints it (the String methods of common's model/value.go), with a line end. */
export function formatQueryAnswer(data: QueryData): string {
  if (data.resultType === "scalar") return `scalar: ${data.result[1]} @[${data.result[0]}]\n`;
  if (data.resultType === "string") return `${data.result[1]}\n`;
  const lines = data.result.map((series) => {
    const metric = formatMetric(series.metric);
    if (series.value) return `${metric} => ${series.value[1]} @[${series.value[0]}]\n`;
    if (series.histogram) return `${metric} => ${formatHistogram(series.histogram[1])} @[${series.histogram[0]}]\n`;
    const values = (series.values ?? []).map(([time, value]) => `${value} @[${time}]\n`);
    const histograms = (series.histograms ?? []).map(([time, value]) => `${formatHistogram(value)} @[${time}]\n`);
    return `${metric} =>\n${[...values, ...histograms].join("")}`;
  });
  return lines.join("");
}

function formatMetric({ __name__: name = "", ...labels }: Readonly<Record<string, string>>): string {
  const quoted = (text: string) => (OLD_NAME.test(text) ? text : JSON.stringify(text));
  const pairs = Object.entries(labels).map(([label, value]) => `${quoted(label)}=${JSON.stringify(value)}`);
  pairs.sort();
  if (name !== "" && !OLD_NAME.test(name)) return `{${[JSON.stringify(name), ...pairs].join(", ")}}`;
  return pairs.length > 0 || name === "" ? `${name}{${pairs.join(", ")}}` : name;
}

function formatHistogram({ count, sum, buckets = [] }: Histogram): string {
  const texts = buckets.map(([boundaries, lower, upper, count]) => {
    const [open, close] = BRACKETS[boundaries] ?? BRACKETS[0];
    return `${open}${lower},${upper}${close}:${count}`;
  });
  return `Count: ${Number(count).toFixed(6)}, Sum: ${Number(sum).toFixed(6)}, Buckets: [${texts.join(" ")}]`;
}
