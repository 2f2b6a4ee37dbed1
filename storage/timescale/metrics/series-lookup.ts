import type { Labels } from "@sightline/model/labels.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import type { LabelRequest } from "@sightline/model/metric-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Client, Database } from "../database/database.ts";
import { type FoundSeries, findSeries } from "./find-series.ts";
import { listLabelNames, listLabelValues } from "./list-labels.ts";
import type { Retention } from "./retention/retention.ts";

export type SeriesLookupOptions = {
  readonly database: Database;
  readonly retention: Retention;
  /** How a transaction that reads for the tenant begins; undefined: it has nothing. */
  readonly beginOf: (tenant: TenantId, signal: AbortSignal) => Promise<string | undefined>;
};

/** Which series and labels there are: from the table of labels where that can say so, otherwise from the series. */
export class SeriesLookup {
  readonly #options: SeriesLookupOptions;

  constructor(options: SeriesLookupOptions) {
    this.#options = options;
  }

  async series(request: LabelRequest, signal: AbortSignal): Promise<readonly Labels[]> {
    const found = await this.#find(request, signal);
    return limited(found, request.limit).map(({ labels }) => labels);
  }

  async labelNames(request: LabelRequest, signal: AbortSignal): Promise<readonly string[]> {
    const names = await this.#listWithoutMatchers(request, signal, listLabelNames);
    return limited(names ?? labelsOf(await this.#find(request, signal), undefined), request.limit);
  }

  async labelValues(name: string, request: LabelRequest, signal: AbortSignal): Promise<readonly string[]> {
    const values = await this.#listWithoutMatchers(request, signal, (client, range) =>
      listLabelValues(client, request.tenant, name, range),
    );
    // Series without the label have nothing to say.
    const matchers = [...request.matchers, { name, op: "!=", value: "" } as const];
    return limited(values ?? labelsOf(await this.#find({ ...request, matchers }, signal), name), request.limit);
  }

  async #find(request: LabelRequest, signal: AbortSignal): Promise<FoundSeries[]> {
    signal.throwIfAborted();
    compileMatchers(request.matchers);
    const { tenant, matchers } = request;
    const begin = await this.#options.beginOf(tenant, signal);
    if (begin === undefined || this.#options.retention.isOver(tenant, request.range)) return [];
    const range = this.#options.retention.visible(tenant, request.range);
    const keptFrom = this.#options.retention.keptFrom(tenant, range);
    const found = await this.#options.database.read("looking for series", begin, signal, (client) =>
      findSeries(client, tenant, matchers, range, signal),
    );
    return keptFrom ? found.filter(({ labels }) => keptFrom(labels) <= range.endMs) : found;
  }

  /** What `list` finds without looking at series; undefined: they decide, by their labels. */
  async #listWithoutMatchers(
    { tenant, matchers, range: wanted }: LabelRequest,
    signal: AbortSignal,
    list: (client: Client, range: TimeRange) => Promise<string[]>,
  ): Promise<string[] | undefined> {
    const range = this.#options.retention.visible(tenant, wanted);
    if (matchers.length > 0 || this.#options.retention.keptFrom(tenant, range)) return undefined;
    signal.throwIfAborted();
    const begin = await this.#options.beginOf(tenant, signal);
    if (begin === undefined || this.#options.retention.isOver(tenant, wanted)) return [];
    return this.#options.database.read("listing labels", begin, signal, (client) => list(client, range));
  }
}

/** Sorted names of the labels that some of them have, or sorted values of one label. */
function labelsOf(series: readonly FoundSeries[], name: string | undefined): string[] {
  const found = new Set<string>();
  for (const { labels } of series) {
    for (const [key, value] of labels) {
      if (name === undefined) found.add(key);
      else if (key === name) found.add(value);
    }
  }
  return [...found].sort();
}

function limited<T>(all: T[], limit: number | undefined): T[] {
  return limit ? all.slice(0, limit) : all;
}
