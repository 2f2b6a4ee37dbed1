import { instant, type Question, range } from "./question.ts";

/** So much of the time that the made-up store has data of is asked for. */
const SECONDS = 3_600;
const ONE = 'http_requests_total{job="cart-service",method="GET",status="200"}';
const RATE = "rate(http_requests_total[5m])";

/** What dashboards ask, with little work for each answer: most of the time is spent elsewhere. */
export const LIGHT_QUESTIONS: readonly Question[] = [
  instant(ONE),
  range(ONE, SECONDS, 15),
  range('rate(http_requests_total{job="cart-service",method="GET"}[5m])', SECONDS, 60),
  range('avg_over_time(gauge_1{job="cart-service"}[10m])', SECONDS, 300),
  instant('http_request_duration_seconds_count{job="cart-service"}'),
  // Nothing is found of these: no such value, no such label.
  instant('http_requests_total{job="no-service"}'),
  instant('http_requests_total{job="cart-service",no_label="value"}'),
  { path: "/api/v1/label/job/values", parameters: {}, seconds: SECONDS },
  { path: "/api/v1/label/pod/values", parameters: { "match[]": "http_requests_total" }, seconds: SECONDS },
  { path: "/api/v1/series", parameters: { "match[]": '{job="cart-service"}' }, seconds: SECONDS },
];

/** These are made of long loops, which V8 compiles soon. */
export const HEAVY_QUESTIONS: readonly Question[] = [
  instant(`sum by (job) (${RATE})`),
  range(`sum by (job) (${RATE})`, SECONDS, 15),
  range("histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))", SECONDS, 60),
  instant(`topk(10, ${RATE})`),
  range(`sum by (job) (rate(http_requests_total{status=~"5.."}[5m])) / sum by (job) (${RATE})`, SECONDS, 60),
  range('sum by (method) (rate(http_requests_total{pod=~"(cart|search)-.+",status!~"2.."}[5m]))', SECONDS, 60),
  instant('count by (__name__) ({job=~".+"})'),
  // So long an answer is sent in pieces.
  range(RATE, SECONDS, 60),
];
