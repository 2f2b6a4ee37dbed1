import type { MetricMetadata } from "@sightline/model/metric-batch.ts";
import { type QueryHandler, sendJson } from "../http/query-api.ts";
import { metadataLimit } from "./parameters.ts";
import type { PrometheusApiDeps } from "./prometheus-api-deps.ts";

/** `/api/v1/metadata` */
export function metadataHandler({ store }: PrometheusApiDeps): QueryHandler {
  return async ({ tenant, parameters, reply }) => {
    const limit = metadataLimit(parameters, "limit") ?? Number.POSITIVE_INFINITY;
    const limitPerMetric = metadataLimit(parameters, "limit_per_metric") || Number.POSITIVE_INFINITY;
    const metric = parameters.get("metric");
    const metadata = await store.metadata(tenant, metric === "" ? undefined : metric);
    return sendJson(reply, { status: "success", data: byMetric(metadata, limit, limitPerMetric) });
  };
}

type Entry = Pick<MetricMetadata, "type" | "unit" | "help">;

function byMetric(metadata: readonly MetricMetadata[], limit: number, limitPerMetric: number): Record<string, Entry[]> {
  const entries = new Map<string, Entry[]>();
  for (const { metric, type, unit, help } of metadata) {
    const known = entries.get(metric);
    if (known) {
      if (known.length < limitPerMetric) known.push({ type, unit, help });
    } else if (entries.size < limit) {
      entries.set(metric, [{ type, unit, help }]);
    }
  }
  return Object.fromEntries(entries);
}
