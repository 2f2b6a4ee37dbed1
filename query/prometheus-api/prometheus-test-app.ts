import type { MetricMetadata } from "@sightline/model/metric-batch.ts";
import type { RuleStates } from "@sightline/model/rules.ts";
import { DEFAULT_TENANT, type TenantId } from "@sightline/model/tenant.ts";
import { metricBatchOf, type SeriesRows } from "@sightline/storage-conformance/metric-batch-of.ts";
import { ReferenceMetricStore } from "@sightline/storage-conformance/reference-metric-store.ts";
import fastify, { type FastifyInstance } from "fastify";
import { TEST_DEPS } from "../http/test-app.ts";
import { PromEngine } from "../promql/engine.ts";
import type { RangeCache } from "../results-cache/range-cache.ts";
import { registerPrometheusApi } from "./routes.ts";
import type { ServerFacts } from "./server-facts.ts";

/** The clock of these tests, in ms. */
export const NOW_MS = 1_700_000_000_000;

export const TEST_SERVER: ServerFacts = {
  startedAtMs: NOW_MS - 3_600_000,
  retention: "15d",
  configYaml: () => "listen: 127.0.0.1:4319\n",
  flags: () => ({ "query.timeout": "2m" }),
};

/** Prometheus' API over a store that holds these rows. */
export async function prometheusApp(
  rows: readonly SeriesRows[],
  options: {
    readonly metadata?: readonly MetricMetadata[];
    readonly tenant?: TenantId;
    readonly rangeCache?: RangeCache;
    readonly adminApi?: boolean;
    readonly rules?: RuleStates;
  } = {},
): Promise<FastifyInstance> {
  const store = new ReferenceMetricStore();
  const { metadata = [], tenant = DEFAULT_TENANT, rangeCache, adminApi = true, rules } = options;
  await store.append(tenant, metricBatchOf(rows, { metadata }), 0);
  const nowMs = () => NOW_MS;
  const engine = new PromEngine({ queryable: store, limits: TEST_DEPS.config, nowMs, rangeCache });
  const app = fastify({ routerOptions: { maxParamLength: 1_000 } });
  const config = { ...TEST_DEPS.config, admin_api: adminApi };
  const snapshotDir = (name: string) => name;
  registerPrometheusApi(app, { ...TEST_DEPS, config, engine, store, server: TEST_SERVER, snapshotDir, nowMs, rules });
  return app;
}
