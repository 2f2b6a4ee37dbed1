import { type QueryHandler, sendJson } from "../http/query-api.ts";
import { scanRecords } from "../log-patterns/scan-records.ts";
import { FacetCounter } from "./facet-counter.ts";
import { LogFacets } from "./log-facets.ts";
import type { LogsApiDeps } from "./logs-api-deps.ts";
import { parseLogQuery, readCount, readOrderedRange } from "./read-parameters.ts";

const DEFAULT_VALUES = 10;
const MAX_VALUES = 1_000;
const MAX_FACETS = 500;

/** The most frequent values of every attribute of the records that a query selects, and the sizes of numbers. */
export function facetsHandler({ logs: store, config, nowMs = Date.now }: LogsApiDeps): QueryHandler {
  return async ({ parameters, tenant, signal, reply }) => {
    const expr = parseLogQuery(parameters.get("query"), config.logs.max_query_bytes);
    const range = readOrderedRange(parameters, nowMs());
    const maxValues = readCount(parameters, "limit", DEFAULT_VALUES, MAX_VALUES);
    const maxRecords = readCount(parameters, "records", config.logs.max_mined_lines, config.logs.max_mined_lines);
    const names = new Set(parameters.all("name"));
    const counter = new FacetCounter((name, label) => names.size === 0 || names.has(name) || names.has(label));
    const facets = new LogFacets(counter);
    const options = { store, limits: config.logs, tenant, range, maxRecords, signal };
    const isComplete = await scanRecords(expr, options, (batch, row, made) => facets.add(batch, row, made));
    facets.finish();
    const data = { records: facets.records, isComplete, facets: counter.facets(maxValues).slice(0, MAX_FACETS) };
    return sendJson(reply, { status: "success", data });
  };
}
