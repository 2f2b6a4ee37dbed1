import { InvalidInputError } from "@sightline/model/errors.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import { type QueryCall, type QueryHandler, sendJson } from "../http/query-api.ts";
import { Turn } from "../http/turn.ts";
import { scanRecords } from "../log-patterns/scan-records.ts";
import { parseMatcherSets } from "../prometheus-api/matcher-sets.ts";
import { FacetCounter } from "./facet-counter.ts";
import { LogFacets } from "./log-facets.ts";
import type { LogsApiDeps } from "./logs-api-deps.ts";
import { parseLogQuery, readCount, readOrderedRange } from "./read-parameters.ts";
import { countSpans } from "./span-facets.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const NS_PER_MS = 1_000_000n;
const ROWS_PER_TURN = 1_000;

type Looked = { readonly items: number; readonly isComplete: boolean };
type Look = (call: QueryCall, deps: LogsApiDeps, range: TimeRangeNs, counter: FacetCounter) => Promise<Looked>;

/**
 * Names of attributes of a signal that begin with `prefix`, with types and how many items have them; with `name` the values
 * of that attribute instead. What is known of the newest `query.logs.max_mined_lines` items (of metrics: series).
 */
export function attributesHandler(deps: LogsApiDeps): QueryHandler {
  return async (call) => {
    const { parameters, reply } = call;
    const signal = parameters.get("signal");
    const look = LOOKS.get(signal);
    if (!look) throw new InvalidInputError(`"signal" must be logs, traces or metrics, not ${JSON.stringify(signal)}`);
    const range = readOrderedRange(parameters, (deps.nowMs ?? Date.now)());
    const limit = readCount(parameters, "limit", DEFAULT_LIMIT, MAX_LIMIT);
    const prefix = parameters.get("prefix");
    const wanted = parameters.get("name");
    const counter = new FacetCounter((name, label) =>
      wanted === "" ? name.startsWith(prefix) || label.startsWith(prefix) : name === wanted || label === wanted,
    );
    const { items, isComplete } = await look(call, deps, range, counter);
    const found = counter.facets(wanted === "" ? 0 : limit, (value) => value.startsWith(prefix)).slice(0, limit);
    const attributes = found.map(({ values, numeric, ...facet }) =>
      wanted === "" ? facet : { ...facet, values, ...(numeric && { numeric }) },
    );
    return sendJson(reply, { status: "success", data: { signal, items, isComplete, attributes } });
  };
}

const LOOKS: ReadonlyMap<string, Look> = new Map<string, Look>([
  ["logs", lookAtLogs],
  ["traces", lookAtSpans],
  ["metrics", lookAtSeries],
]);

async function lookAtLogs(call: QueryCall, deps: LogsApiDeps, range: TimeRangeNs, counter: FacetCounter) {
  const { tenant, signal, parameters } = call;
  const { logs: store, config } = deps;
  const query = parameters.get("query");
  const expr =
    query === ""
      ? { kind: "log" as const, matchers: [], stages: [], range: { start: 0, end: 0 } }
      : parseLogQuery(query, config.logs.max_query_bytes);
  const facets = new LogFacets(counter);
  const maxRecords = config.logs.max_mined_lines;
  const options = { store, limits: config.logs, tenant, range, maxRecords, signal };
  const isComplete = await scanRecords(expr, options, (batch, row, made) => facets.add(batch, row, made));
  facets.finish();
  return { items: facets.records, isComplete };
}

async function lookAtSpans(
  { tenant, signal }: QueryCall,
  deps: LogsApiDeps,
  range: TimeRangeNs,
  counter: FacetCounter,
) {
  const maxSpans = deps.config.logs.max_mined_lines;
  const turn = new Turn();
  let items = 0;
  for await (const batch of deps.traces.spans(tenant, range, signal)) {
    const rows = Math.min(batch.length, maxSpans - items);
    countSpans(batch, rows, counter);
    items += rows;
    if (rows < batch.length) return { items, isComplete: false };
    await turn.rest();
    signal.throwIfAborted();
  }
  return { items, isComplete: true };
}

async function lookAtSeries(call: QueryCall, deps: LogsApiDeps, range: TimeRangeNs, counter: FacetCounter) {
  const { tenant, signal, parameters } = call;
  const limit = deps.config.logs.max_mined_lines;
  const query = parameters.get("query");
  const [matchers = []] = query === "" ? [] : parseMatcherSets([query]);
  const request = {
    tenant,
    matchers,
    range: { startMs: Number(range.startNs / NS_PER_MS), endMs: Number(range.endNs / NS_PER_MS) },
    limit: limit + 1,
  };
  const series = await deps.metrics.series(request, signal);
  const turn = new Turn();
  const items = Math.min(series.length, limit);
  for (let i = 0; i < items; i++) {
    for (const [name, value] of series[i] ?? []) counter.column(name, "label", "string")?.add(value, 1);
    if (i % ROWS_PER_TURN === 0) await turn.rest();
  }
  signal.throwIfAborted();
  return { items, isComplete: items === series.length };
}
