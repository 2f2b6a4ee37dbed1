import { NEEDLE } from "./workloads/logs.ts";
import { traceId } from "./workloads/spans.ts";

export type TimedQuery = {
  readonly name: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
};

/** The questions that are timed, per workload whose data they ask for. `endMs` is the end of that data. */
export function queriesFor(workload: string, endMs: number): TimedQuery[] {
  const end = String(endMs / 1000);
  const instant = (name: string, query: string) => ({ name, path: "/api/v1/query", params: { query, time: end } });
  const range = (name: string, query: string, seconds: number, step: string) => ({
    name,
    path: "/api/v1/query_range",
    // What is kept of the first run would be timed in the others.
    params: { query, start: String(endMs / 1000 - seconds), end, step, nocache: "1" },
  });
  const lines = (name: string, query: string) => ({
    name,
    path: "/loki/api/v1/query_range",
    params: {
      query,
      start: String((BigInt(endMs) - 3_600_000n) * 1_000_000n),
      end: String(BigInt(endMs) * 1_000_000n),
      limit: "1000",
    },
  });
  if (workload === "remote-write-1") {
    return [
      instant("one series, instant", 'http_requests_total{job="cart-service",method="GET",status="200"}'),
      instant("sum by (job) (rate), instant", "sum by (job) (rate(http_requests_total[5m]))"),
      range("sum by (job) (rate), 30m/15s", "sum by (job) (rate(http_requests_total[5m]))", 1_800, "15"),
      range("gauge average, 30m/1m", "avg by (job) (avg_over_time(cpu_utilization_percent[5m]))", 1_800, "60"),
      { name: "label values of job", path: "/api/v1/label/job/values", params: {} },
    ];
  }
  if (workload === "otlp-logs") {
    return [
      lines("latest lines of a service", '{service_name="checkout"}'),
      lines("needle, all services", `{service_name=~".+"} |= "${NEEDLE}"`),
      lines("absent word, all services", '{service_name=~".+"} |= "no-such-word-at-all"'),
      lines("regex, all services", '{service_name=~".+"} |~ "status=50[0-9] duration_ms=1[0-9]{3}"'),
    ];
  }
  if (workload === "otlp-spans") {
    return [
      { name: "trace by id (Tempo)", path: `/tempo/api/v2/traces/${traceId(100)}`, params: {} },
      { name: "trace by id (Jaeger)", path: `/jaeger/api/traces/${traceId(200)}`, params: {} },
      { name: "services", path: "/jaeger/api/services", params: {} },
    ];
  }
  return [];
}
