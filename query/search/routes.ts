import { InvalidInputError } from "@sightline/model/errors.ts";
import { METRIC_NAME } from "@sightline/model/labels.ts";
import type { MetricMetadata } from "@sightline/model/metric-batch.ts";
import type { LabelRequest, MetricStore } from "@sightline/model/metric-store.ts";
import type { FastifyInstance, FastifyReply } from "fastify";
import { type QueryApiDeps, type QueryCall, type QueryRoute, registerQueryApi } from "../http/query-api.ts";
import { sendChunks } from "../http/send-chunks.ts";
import { sendPrometheusFailure } from "../prometheus-api/error-response.ts";
import { searchFilter } from "./search-filter.ts";
import { booleanParameter, type SearchParameters, searchParameters } from "./search-parameters.ts";
import { type Found, searchTexts } from "./search-texts.ts";

export type SearchApiDeps = QueryApiDeps & {
  readonly store: Pick<MetricStore, "labelNames" | "labelValues" | "metadata">;
  /** By default the system's clock. */
  readonly nowMs?: () => number;
};

const NDJSON = "application/x-ndjson; charset=utf-8";

/** Prometheus' search API, which completes names while they are typed: `/api/v1/search/{metric_names,label_names,label_values}`. */
export function registerSearchApi(app: FastifyInstance, deps: SearchApiDeps): void {
  const { store } = deps;
  const routes = [
    searchRoute("metric_names", async (call) => {
      const parameters = parse(deps, call, "metric_names");
      const includesMetadata = booleanParameter(call.parameters, "include_metadata", false);
      const names = (request: LabelRequest) => store.labelValues(METRIC_NAME, request, call.signal);
      const found = await search(call, parameters, names);
      const metadata = includesMetadata && found.length > 0 ? await store.metadata(call.tenant) : [];
      return send(call, parameters, found, "name", metadata);
    }),
    searchRoute("label_names", async (call) => {
      const parameters = parse(deps, call, "label_names");
      const found = await search(call, parameters, (request) => store.labelNames(request, call.signal));
      return send(call, parameters, found, "name");
    }),
    searchRoute("label_values", async (call) => {
      const parameters = parse(deps, call, "label_values");
      const label = call.parameters.get("label");
      if (label === "") throw new InvalidInputError('missing required parameter "label"');
      const found = await search(call, parameters, (request) => store.labelValues(label, request, call.signal));
      return send(call, parameters, found, "value");
    }),
  ];
  registerQueryApi(app, deps, sendPrometheusFailure, routes);
}

function searchRoute(endpoint: string, handler: QueryRoute["handler"]): QueryRoute {
  return { methods: ["GET", "POST"], url: `/api/v1/search/${endpoint}`, handler, gated: true };
}

function parse({ config, nowMs = Date.now }: SearchApiDeps, { parameters }: QueryCall, endpoint: string) {
  return searchParameters(parameters, { nowMs: nowMs(), maxLimit: config.search.max_limit, endpoint });
}

async function search(
  { tenant, signal }: QueryCall,
  parameters: SearchParameters,
  ask: (request: LabelRequest) => Promise<readonly string[]>,
): Promise<Found[]> {
  const { range, matcherSets } = parameters;
  const sets = matcherSets.length > 0 ? matcherSets : [[]];
  let texts: readonly string[] = [];
  for (const matchers of sets) {
    const some = await ask({ tenant, range, matchers });
    texts = texts.length === 0 ? some : [...new Set([...texts, ...some])].sort((a, b) => (a < b ? -1 : 1));
  }
  return searchTexts(texts, searchFilter(parameters), parameters, signal);
}

function send(
  { request, reply }: QueryCall,
  parameters: SearchParameters,
  found: readonly Found[],
  field: "name" | "value",
  metadata: readonly MetricMetadata[] = [],
): Promise<FastifyReply> {
  const byMetric = new Map(metadata.map((entry) => [entry.metric, entry]));
  const record = ({ text, score }: Found) => {
    const known = byMetric.get(text);
    return {
      [field]: text,
      ...(parameters.includeScore && { score }),
      ...(known && { type: known.type }),
      ...(known?.help && { help: known.help }),
      ...(known?.unit && { unit: known.unit }),
    };
  };
  return sendChunks(request, reply, NDJSON, lines(found, parameters, record));
}

/** Batches of records, at least one, and a line that says whether there is more. */
function* lines(found: readonly Found[], { limit, batchSize }: SearchParameters, record: (found: Found) => unknown) {
  const count = Math.min(limit, found.length);
  for (let from = 0; from === 0 || from < count; from += batchSize) {
    yield `${JSON.stringify({ results: found.slice(from, Math.min(from + batchSize, count)).map(record) })}\n`;
  }
  yield `${JSON.stringify({ status: "success", has_more: found.length > limit })}\n`;
}
