import type { MetricStore } from "@sightline/model/ports.ts";
import type { FastifyInstance } from "fastify";
import { type QueryApiDeps, type QueryRoute, registerQueryApi, sendJson } from "../http/query-api.ts";
import type { PromEngine } from "../promql/engine.ts";
import { sendPrometheusFailure } from "./error-response.ts";
import { exemplarsHandler } from "./exemplars.ts";
import { labelNamesHandler, labelValuesHandler, seriesHandler } from "./label-handlers.ts";
import { metadataHandler } from "./metadata.ts";
import { instantHandler, rangeHandler } from "./query-handlers.ts";

export type PrometheusApiDeps = QueryApiDeps & {
  readonly engine: Pick<PromEngine, "instant" | "range">;
  readonly store: Pick<MetricStore, "series" | "labelNames" | "labelValues" | "metadata" | "exemplars">;
  /** For `time` when a request names none; by default the system's clock. */
  readonly nowMs?: () => number;
};

/** The release whose query API this is: Grafana decides by it what it may ask for. */
const PROMETHEUS_VERSION = "3.14.0";

/**
 * Prometheus' query API below `/api/v1`. `status/flags` is left out on purpose: Grafana takes any answer to it for
 * Thanos. So are `features` in the build info, which would make it Mimir.
 */
export function registerPrometheusApi(app: FastifyInstance, deps: PrometheusApiDeps): void {
  registerQueryApi(app, deps, sendPrometheusFailure, routes(deps));
}

function routes(deps: PrometheusApiDeps): QueryRoute[] {
  const { version, revision } = deps.buildInfo;
  const buildInfo = {
    version: PROMETHEUS_VERSION,
    revision,
    branch: "",
    buildUser: "",
    buildDate: "",
    goVersion: "",
    application: `Sightline ${version}`,
  };
  const fixed = (url: string, data: unknown): QueryRoute => ({
    methods: ["GET"],
    url,
    handler: async ({ reply }) => sendJson(reply, { status: "success", data }),
  });
  return [
    { methods: ["GET", "POST"], url: "/api/v1/query", gated: true, handler: instantHandler(deps) },
    { methods: ["GET", "POST"], url: "/api/v1/query_range", gated: true, handler: rangeHandler(deps) },
    { methods: ["GET", "POST"], url: "/api/v1/query_exemplars", gated: true, handler: exemplarsHandler(deps) },
    { methods: ["GET", "POST"], url: "/api/v1/series", gated: true, handler: seriesHandler(deps) },
    { methods: ["GET", "POST"], url: "/api/v1/labels", gated: true, handler: labelNamesHandler(deps) },
    { methods: ["GET"], url: "/api/v1/label/:name/values", gated: true, handler: labelValuesHandler(deps) },
    { methods: ["GET"], url: "/api/v1/metadata", gated: true, handler: metadataHandler(deps) },
    fixed("/api/v1/status/buildinfo", buildInfo),
    fixed("/api/v1/rules", { groups: [] }),
    fixed("/api/v1/alerts", { alerts: [] }),
  ];
}
