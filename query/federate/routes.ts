import type { MetricStore } from "@sightline/model/metric-store.ts";
import type { FastifyInstance } from "fastify";
import { sendPlainFailure } from "../http/plain-failure.ts";
import { type QueryApiDeps, type QueryHandler, registerQueryApi } from "../http/query-api.ts";
import { sendChunks } from "../http/send-chunks.ts";
import { parseSelectors } from "../promql/parse/parse-promql.ts";
import { negotiateFormat } from "./exposition-format.ts";
import { expositionProtobuf } from "./exposition-protobuf.ts";
import { expositionText, openMetricsText } from "./exposition-text.ts";
import { latestSamples } from "./latest-samples.ts";
import { metricFamilies } from "./metric-families.ts";

export type FederateDeps = QueryApiDeps & {
  readonly store: Pick<MetricStore, "select">;
  /** By default the system's clock. */
  readonly nowMs?: () => number;
};

const ENCODERS = { text: expositionText, openmetrics: openMetricsText, protobuf: expositionProtobuf } as const;

/**
 * `/federate`: the newest samples of series, for a Prometheus to scrape (web/federate.go). No matcher, no series; one
 * that matches everything is allowed here.
 */
export function registerFederate(app: FastifyInstance, deps: FederateDeps): void {
  const { store, config, nowMs = Date.now } = deps;
  const handler: QueryHandler = async ({ tenant, parameters, signal, request, reply }) => {
    const matcherSets = parseSelectors(parameters.all("match[]"));
    const endMs = nowMs();
    const range = { startMs: endMs - config.lookback_ms, endMs };
    const samples = await latestSamples(store, { tenant, range, matcherSets }, signal);
    const format = negotiateFormat(String(request.headers.accept ?? ""));
    const pieces = ENCODERS[format.kind](metricFamilies(samples, format));
    return sendChunks(request, reply, format.contentType, pieces);
  };
  registerQueryApi(app, deps, sendPlainFailure, [{ methods: ["GET"], url: "/federate", handler, gated: true }]);
}
