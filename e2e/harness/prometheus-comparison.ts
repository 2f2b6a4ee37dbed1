import { call } from "./http-call.ts";
import { QUERIES, WRONG_QUERIES } from "./prometheus-queries.ts";

type Sample = {
  metric: Record<string, string>;
  value?: unknown;
  values?: unknown[];
  histogram?: unknown;
  histograms?: unknown[];
};
type Answer = {
  status: string;
  error?: string;
  errorType?: string;
  warnings?: string[];
  infos?: string[];
  data?: { resultType: string; result: Sample[] };
};
export type ComparisonOptions = {
  readonly prometheus: string;
  readonly sightline: string;
  /** Seconds since the epoch; both must have all samples up to it. */
  readonly end: number;
  readonly windowSeconds: number;
  /** Whether Prometheus sent metadata: 3.14 leaves it empty in remote write 2.0. */
  readonly metadata: boolean;
  readonly onDifference: (text: string) => void;
};
export type ComparisonResult = {
  readonly compared: number;
  readonly different: number;
  readonly empty: readonly string[];
};

const STEP_SECONDS = 7;
const MAX_LINES = 6;

/** Asks both the same and compares answers as texts: numbers, buckets and messages to the last character. */
export async function compareWithPrometheus(options: ComparisonOptions): Promise<ComparisonResult> {
  const { prometheus, sightline, end, windowSeconds, onDifference } = options;
  const start = end - windowSeconds;
  let [compared, different] = [0, 0];
  const empty: string[] = [];
  const ask = async (base: string, path: string, parameters: Record<string, string>): Promise<Answer> =>
    JSON.parse((await call(`${base}/api/v1/${path}?${new URLSearchParams(parameters)}`)).text) as Answer;
  const compare = async (query: string, path: string, parameters: Record<string, string>) => {
    const [want, got] = await Promise.all([ask(prometheus, path, parameters), ask(sightline, path, parameters)]);
    compared++;
    const lines = differences(query, want, got);
    if (lines.length > 0) {
      different++;
      onDifference(
        `${path} ${query}\n${lines.slice(0, MAX_LINES).join("\n")}${lines.length > MAX_LINES ? `\n  … ${lines.length} in all` : ""}`,
      );
    }
    return want;
  };
  for (const [path, parameters] of options.metadata ? [...META, ...METADATA] : META) {
    await compare(JSON.stringify(parameters), path, { ...parameters, start: String(start), end: String(end) });
  }
  for (const query of QUERIES) {
    let results = 0;
    for (const time of [end, end - 33.25, start + 5]) {
      const { data } = await compare(query, "query", { query, time: String(time) });
      results += data?.result.length ?? 0;
    }
    if (!/\][^)]*$/.test(query)) {
      for (const step of [STEP_SECONDS, 1]) {
        await compare(query, "query_range", { query, start: String(start), end: String(end), step: String(step) });
      }
    }
    if (results === 0) empty.push(query);
  }
  for (const query of WRONG_QUERIES) await compare(query, "query", { query, time: String(end) });
  return { compared, different, empty };
}

const META: readonly (readonly [string, Record<string, string>])[] = [
  ["labels", {}],
  ["labels", { "match[]": "up" }],
  ["label/job/values", {}],
  ["label/__name__/values", {}],
  ["label/U__host_2e_name/values", {}],
  ["series", { "match[]": '{__name__=~"odd_.+"}' }],
  ["series", { "match[]": "prometheus_http_requests_total" }],
  ["query_exemplars", { query: "odd_exemplars_total" }],
];
const METADATA: typeof META = [
  ["metadata", { metric: "odd_gauge" }],
  ["metadata", { metric: "prometheus_http_requests_total" }],
];

const ORDERED = /^(sort|sort_desc|topk|bottomk)\b/;
/**
 * Where the last bits are not Prometheus' own to give: Welford's method depends on the order of series, which there is
 * the order in which they were met, and these functions are those of Go's mathematical library.
 */
const INEXACT = /^(stddev|stdvar) by|^(exp|sin)\(|atan2/;
const MAX_RELATIVE_ERROR = 1e-12;

/** The same time, and nearly the same value. */
function near(want: unknown, got: unknown): boolean {
  const [[timeA, a] = [], [timeB, b] = []] = [
    want as [number, string] | undefined,
    got as [number, string] | undefined,
  ];
  return timeA === timeB && Math.abs(Number(a) - Number(b)) <= MAX_RELATIVE_ERROR * Math.abs(Number(a));
}

function differences(query: string, want: Answer, got: Answer): string[] {
  const lines: string[] = [];
  const field = (name: string, a: unknown, b: unknown) => {
    if (JSON.stringify(a) !== JSON.stringify(b)) lines.push(`  ${name}: ${contrast(a, b)}`);
  };
  field("status", want.status, got.status);
  field("error", want.error, got.error);
  field("errorType", want.errorType, got.errorType);
  field("warnings", want.warnings?.toSorted(), got.warnings?.toSorted());
  field("infos", want.infos?.toSorted(), got.infos?.toSorted());
  if (!want.data || !got.data) return lines;
  if (want.data.resultType === undefined) {
    field("data", ordered(want.data), ordered(got.data));
    return lines;
  }
  field("resultType", want.data.resultType, got.data.resultType);
  if (want.data.resultType === "scalar" || want.data.resultType === "string") {
    field("result", want.data.result, got.data.result);
    return lines;
  }
  if (ORDERED.test(query) && want.data.resultType === "vector") {
    // Of equal values any may come first or be chosen: Prometheus' order is that in which it met the series.
    const values = ({ result }: { result: Sample[] }) => result.map(({ value }) => value);
    field("values in order", values(want.data), values(got.data));
    return lines;
  }
  const ours = new Map(got.data.result.map((series) => [seriesKey(series.metric), series]));
  for (const series of want.data.result) {
    const key = seriesKey(series.metric);
    const own = ours.get(key);
    if (!own) lines.push(`  missing: ${key}`);
    else lines.push(...sampleDifferences(key, series, own, INEXACT.test(query)));
    ours.delete(key);
  }
  for (const key of ours.keys()) lines.push(`  extra: ${key}`);
  return lines;
}

function sampleDifferences(key: string, want: Sample, got: Sample, inexact: boolean): string[] {
  const lines: string[] = [];
  for (const kind of ["values", "histograms"] as const) {
    const single = kind === "values" ? "value" : "histogram";
    const a = want[kind] ?? (want[single] === undefined ? [] : [want[single]]);
    const b = got[kind] ?? (got[single] === undefined ? [] : [got[single]]);
    if (a.length !== b.length) lines.push(`  ${key}: want ${a.length} ${kind}, got ${b.length}`);
    const index = a.findIndex(
      (sample, i) => JSON.stringify(sample) !== JSON.stringify(b[i]) && !(inexact && near(sample, b[i])),
    );
    if (index >= 0 && a.length === b.length) {
      lines.push(`  ${key}: ${contrast(a[index], b[index])}`);
    }
  }
  return lines;
}

const CONTEXT_CHARACTERS = 60;

/** Both as JSON, from a little before the first character that differs. */
function contrast(want: unknown, got: unknown): string {
  const [a = "nothing", b = "nothing"] = [JSON.stringify(want), JSON.stringify(got)];
  let first = 0;
  while (first < a.length && a[first] === b[first]) first++;
  const from = Math.max(0, first - CONTEXT_CHARACTERS);
  const cut = (text: string) =>
    `${from > 0 ? "…" : ""}${text.slice(from, first + CONTEXT_CHARACTERS)}${text.length > first + CONTEXT_CHARACTERS ? "…" : ""}`;
  return `at ${first}\n    want ${cut(a)}\n    got  ${cut(b)}`;
}

const seriesKey = (metric: Record<string, string>) =>
  JSON.stringify(Object.fromEntries(Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1))));

/** Lists of objects come in any order. */
function ordered(data: unknown): unknown {
  const sortKeys = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(sortKeys)
      : value !== null && typeof value === "object"
        ? Object.fromEntries(
            Object.entries(value)
              .map(([key, inner]) => [key, sortKeys(inner)] as const)
              .toSorted(([a], [b]) => (a < b ? -1 : 1)),
          )
        : value;
  const sorted = sortKeys(data);
  return Array.isArray(sorted) ? sorted.map((item) => JSON.stringify(item)).toSorted() : sorted;
}
