import { getJson } from "./http-call.ts";

export type PromSeries = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
  readonly histogram?: readonly [number, unknown];
  readonly histograms?: readonly (readonly [number, unknown])[];
};
export type LogLine = {
  readonly stream: Readonly<Record<string, string>>;
  readonly timeNs: bigint;
  readonly line: string;
};
export type JaegerSpan = {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly processID: string;
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly references: readonly { readonly refType: string; readonly spanID: string }[];
};
export type JaegerTrace = {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
};

/** Most lines one Loki query gives out (query.logs.max_limit). */
const LOG_PAGE = 5_000;

/** Asks one Sightline on behalf of one tenant over the APIs that Grafana speaks. */
export class Ask {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** `headers`: credentials, say. */
  constructor(url: string, tenant = "default", headers: Readonly<Record<string, string>> = {}) {
    this.#url = url;
    this.#headers = { "x-scope-orgid": tenant, ...headers };
  }

  get<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> {
    const search = new URLSearchParams(parameters).toString();
    return getJson<T>(`${this.#url}${path}${search === "" ? "" : `?${search}`}`, this.#headers);
  }

  async #prometheus<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await this.get<{ data: T }>(`/api/v1/${path}`, parameters)).data;
  }

  /** An instant query: vectors have `value`, range vectors `values`. */
  async promql(query: string, timeMs = Date.now()): Promise<readonly PromSeries[]> {
    const data = await this.#prometheus<{ result: PromSeries[] }>("query", { query, time: String(timeMs / 1000) });
    return data.result;
  }

  /** The only value of a query, NaN when there is none. */
  async number(query: string, timeMs?: number): Promise<number> {
    const [first] = await this.promql(query, timeMs);
    return Number(first?.value?.[1] ?? Number.NaN);
  }

  /** Raw samples of the one series that matches, as [ms, text]. */
  async samples(selector: string, endMs = Date.now() + 60_000, window = "2h"): Promise<[number, string][]> {
    const [series] = await this.promql(`${selector}[${window}]`, endMs);
    return (series?.values ?? []).map(([seconds, value]) => [Math.round(seconds * 1000), value]);
  }

  metadata(metric?: string): Promise<Readonly<Record<string, { type: string; help: string; unit: string }[]>>> {
    return this.#prometheus("metadata", metric === undefined ? {} : { metric });
  }

  exemplars(
    query: string,
    startMs: number,
    endMs: number,
  ): Promise<
    readonly {
      readonly seriesLabels: Readonly<Record<string, string>>;
      readonly exemplars: readonly { labels: Record<string, string>; value: string; timestamp: number }[];
    }[]
  > {
    return this.#prometheus("query_exemplars", { query, start: String(startMs / 1000), end: String(endMs / 1000) });
  }

  labelValues(name: string): Promise<readonly string[]> {
    return this.#prometheus(`label/${encodeURIComponent(name)}/values`);
  }

  /** Every matching line from `startNs` on, oldest first, page by page. Lines of one nanosecond must fit in a page. */
  async logs(query: string, startNs: bigint, endNs: bigint): Promise<LogLine[]> {
    const all: LogLine[] = [];
    let from = startNs;
    for (;;) {
      const page = await this.#logPage(query, from, endNs);
      if (page.length < LOG_PAGE) return all.concat(page);
      // The last nanosecond may be cut: ask for it again as a whole.
      const last = (page.at(-1) as LogLine).timeNs;
      if (last === from) throw new Error(`more than ${LOG_PAGE} lines at ${last}`);
      all.push(...page.filter(({ timeNs }) => timeNs < last));
      from = last;
    }
  }

  async #logPage(query: string, startNs: bigint, endNs: bigint): Promise<LogLine[]> {
    const answer = await this.get<{
      data: { result: { stream: Record<string, string>; values: [string, string, ...unknown[]][] }[] };
    }>("/loki/api/v1/query_range", {
      query,
      start: String(startNs),
      end: String(endNs),
      limit: String(LOG_PAGE),
      direction: "forward",
    });
    const lines = answer.data.result.flatMap(({ stream, values }) =>
      values.map(([time, line]) => ({ stream, timeNs: BigInt(time), line })),
    );
    return lines.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
  }

  /** undefined when there is no such trace. */
  async trace(traceId: string): Promise<JaegerTrace | undefined> {
    try {
      return (await this.get<{ data: JaegerTrace[] }>(`/jaeger/api/traces/${traceId}`)).data[0];
    } catch (error) {
      if ((error as Error).message.includes(": 404 ")) return undefined;
      throw error;
    }
  }

  /** Tempo's second API: resource spans as OTLP JSON. undefined when there is no such trace. */
  async tempoSpanCount(traceId: string): Promise<number | undefined> {
    type Batches = { scopeSpans: { spans: unknown[] }[] }[];
    try {
      const { trace } = await this.get<{ trace: { resourceSpans?: Batches; batches?: Batches } }>(
        `/tempo/api/v2/traces/${traceId}`,
      );
      const batches = trace.resourceSpans ?? trace.batches ?? [];
      return batches.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)).length;
    } catch (error) {
      if ((error as Error).message.includes(": 404 ")) return undefined;
      throw error;
    }
  }

  async services(): Promise<readonly string[]> {
    return (await this.get<{ data: string[] | null }>("/jaeger/api/services")).data ?? [];
  }
}
