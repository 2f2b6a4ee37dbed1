/**
 * The 22 questions of the comparison with other servers. They are asked of 24 hours of 2,000 series, 15 s apart, and one hour
 * of 40,000 more whose names begin with `wide_`: `npm run bench -- load` writes such data.
 */
import type { TimedQuery } from "./queries.ts";

const RATE = "rate(http_requests_total[5m])";
const WIDE_RATE = "rate(wide_http_requests_total[5m])";
const ONE = 'http_requests_total{job="cart-service",method="GET",status="200"}';
const BUCKETS = "rate(http_request_duration_seconds_bucket[5m])";
const P99_BY_JOB = `histogram_quantile(0.99, sum by (le, job) (${BUCKETS}))`;
const HOUR = 3_600;
const DAY = 24 * HOUR;

/** `endSeconds`: when the newest of the data was written, Unix time. */
export function querySet(endSeconds: number): TimedQuery[] {
  const end = String(endSeconds);
  const since = (seconds: number) => ({ start: String(endSeconds - seconds), end });
  const instant = (name: string, query: string) => ({ name, path: "/api/v1/query", params: { query, time: end } });
  const range = (name: string, query: string, seconds: number, step: number) => ({
    name,
    path: "/api/v1/query_range",
    params: { query, ...since(seconds), step: String(step) },
  });
  const errors = RATE.replace("total", 'total{status=~"5.."}');
  const some = RATE.replace("total", 'total{pod=~"(cart|checkout|search)-.+",status!~"2.."}');
  return [
    instant("single series, instant", ONE),
    range("single series, 1h/15s", ONE, HOUR, 15),
    range("single series rate, 24h/1m", `rate(${ONE}[5m])`, DAY, 60),
    range("gauge avg_over_time, 24h/5m", 'avg_over_time(cpu_utilization_percent{job="cart-service"}[10m])', DAY, 300),
    instant("sum by (job) (rate) of 1k, instant", `sum by (job) (${RATE})`),
    range("sum by (job) (rate) of 1k, 1h/15s", `sum by (job) (${RATE})`, HOUR, 15),
    range("sum by (job) (rate) of 1k, 24h/1m", `sum by (job) (${RATE})`, DAY, 60),
    range("sum by (job) (rate) of 1k, 24h/5m", `sum by (job) (${RATE})`, DAY, 300),
    range("histogram_quantile by job, 1h/15s", P99_BY_JOB, HOUR, 15),
    range("histogram_quantile by job, 24h/1m", P99_BY_JOB, DAY, 60),
    instant("topk(10, rate) of 1k, instant", `topk(10, ${RATE})`),
    range("error ratio, 1h/15s", `sum by (job) (${errors}) / sum by (job) (${RATE})`, HOUR, 15),
    range("regex matchers and sum, 1h/15s", `sum by (method) (${some})`, HOUR, 15),
    instant("count by (__name__) of 42k, instant", 'count by (__name__) ({job=~".+"})'),
    { name: "label values of job", path: "/api/v1/label/job/values", params: since(DAY) },
    {
      name: "label values of pod of a metric",
      path: "/api/v1/label/pod/values",
      params: { ...since(DAY), "match[]": "http_requests_total" },
    },
    { name: "series of a job", path: "/api/v1/series", params: { ...since(DAY), "match[]": '{job="cart-service"}' } },
    instant("sum by (job) (rate) of 20k, instant", `sum by (job) (${WIDE_RATE})`),
    range("sum by (job) (rate) of 20k, 1h/15s", `sum by (job) (${WIDE_RATE})`, HOUR, 15),
    range("sum by (job) (rate) of 20k, 1h/1m", `sum by (job) (${WIDE_RATE})`, HOUR, 60),
    instant("topk(10, rate) of 20k, instant", `topk(10, ${WIDE_RATE})`),
    range(
      "histogram_quantile of 4k, 1h/1m",
      "histogram_quantile(0.99, sum by (le) (rate(wide_http_request_duration_seconds_bucket[5m])))",
      HOUR,
      60,
    ),
  ];
}
