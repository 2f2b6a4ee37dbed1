import { getJson } from "./harness/http-call.ts";

/** What a query generator needs to know of the data: metrics that both servers have, with the labels of their series. */
export type RandomMetric = {
  readonly name: string;
  readonly kind: "gauge" | "counter" | "bucket" | "histogram";
  readonly series: readonly Readonly<Record<string, string>>[];
};
export type Window = { readonly start: number; readonly end: number };

type Labels = Readonly<Record<string, string>>;
type Vector = { data: { result: { metric: Labels; histogram?: unknown }[] } };

/**
 * Metrics whose series are the same on both servers in the window (seconds since the epoch). What only one of them has is
 * left out and named in `odd`: it would make every query differ.
 */
export async function commonMetrics(
  urls: { readonly prometheus: string; readonly sightline: string },
  window: Window,
): Promise<{ readonly metrics: RandomMetric[]; readonly odd: string[] }> {
  const [theirs, ours] = await Promise.all([
    seriesByName(urls.prometheus, window),
    seriesByName(urls.sightline, window),
  ]);
  const histograms = await histogramNames(urls.prometheus, window);
  const metrics: RandomMetric[] = [];
  const odd: string[] = [];
  for (const [name, series] of [...theirs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const own = ours.get(name) ?? [];
    if (keysOf(series) === keysOf(own)) metrics.push({ name, kind: kindOf(name, histograms), series });
    else odd.push(name);
  }
  for (const name of ours.keys()) if (!theirs.has(name)) odd.push(name);
  return { metrics, odd };
}

/** Those that really have samples then: lists of series are made of blocks of hours. */
async function seriesByName(url: string, { start, end }: Window): Promise<Map<string, Labels[]>> {
  const range = Math.max(1, Math.floor(end - start));
  const query = new URLSearchParams({ query: `last_over_time({__name__=~".+"}[${range}s])`, time: String(end) });
  const { data } = await getJson<Vector>(`${url}/api/v1/query?${query}`);
  const byName = new Map<string, Labels[]>();
  for (const { metric } of data.result) {
    const name = metric.__name__ ?? "";
    byName.set(name, [...(byName.get(name) ?? []), metric]);
  }
  return byName;
}

async function histogramNames(url: string, { end }: Window): Promise<Set<string>> {
  const query = new URLSearchParams({ query: '{__name__=~".+"}', time: String(end) });
  const { data } = await getJson<Vector>(`${url}/api/v1/query?${query}`);
  return new Set(data.result.filter(({ histogram }) => histogram).map(({ metric }) => metric.__name__ ?? ""));
}

function keysOf(series: readonly Labels[]): string {
  const keys = series.map((labels) => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));
  return keys.sort().join("\n");
}

function kindOf(name: string, histograms: ReadonlySet<string>): RandomMetric["kind"] {
  if (histograms.has(name)) return "histogram";
  if (name.endsWith("_bucket")) return "bucket";
  return /_(total|sum|count)$/.test(name) ? "counter" : "gauge";
}
