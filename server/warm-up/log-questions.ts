import { labelValue } from "@sightline/model/labels.ts";
import type { LogStream } from "@sightline/model/log-batch.ts";
import type { LogStore } from "@sightline/model/log-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { Question } from "./question.ts";

const HOUR = 3_600;
const PATH = "/loki/api/v1";
/** What streams are mostly selected by. */
const SELECTING = ["service_name", "job", "app", "namespace"];

/** What Explore and dashboards ask of a made-up store. */
export const LOG_QUESTIONS: readonly Question[] = [
  ...aboutService("service_name", "service-3"),
  lines('{service_name="service-3"} |= "needle-7f3a9c"'),
  lines('{service_name=~".+"} |= "needle-7f3a9c"'),
  lines('{service_name=~".+"} |= "no-such-word-at-all"'),
  lines('{service_name=~".+"} |~ "status=50[0-9] duration_ms=1[0-9]{2}"'),
  lines('{service_name=~".+"} | user_id="u-4242"'),
  lines('{service_name=~".+"} | trace_id="0123456789abcdef0123456789abcdef"'),
  lines('{service_name="service-3"} |= "{" | json | status >= 500'),
  lines('{service_name="service-3"} | logfmt | status="500"'),
  perMinute('sum by (severity_text) (count_over_time({service_name=~".+"}[1m]))'),
  perMinute('sum(rate({service_name=~".+"} |= "needle-7f3a9c" [5m]))'),
];

/** About what the tenant has stored lately, with little work for each answer; none when there is nothing. */
export async function storedLogQuestions(
  store: Pick<LogStore, "select">,
  { tenant, endMs }: { readonly tenant: TenantId; readonly endMs: number },
  signal: AbortSignal,
): Promise<readonly Question[]> {
  const endNs = BigInt(Math.ceil(endMs)) * 1_000_000n;
  const range = { startNs: endNs - BigInt(HOUR) * 1_000_000_000n, endNs };
  const stream = await newestStream(store, { tenant, range }, signal);
  if (!stream) return [];
  const name = SELECTING.find((label) => labelValue(stream.labels, label) !== "") ?? stream.labels[0]?.[0];
  return name === undefined ? [] : aboutService(name, labelValue(stream.labels, name));
}

async function newestStream(
  store: Pick<LogStore, "select">,
  { tenant, range }: { readonly tenant: TenantId; readonly range: TimeRangeNs },
  signal: AbortSignal,
): Promise<LogStream | undefined> {
  const newest = { tenant, range, matchers: [], line: [], newestFirst: true, limit: 1 };
  for await (const { streams, streamRefs, length } of store.select(newest, signal).batches) {
    if (length > 0) return streams[streamRefs[0] as number];
  }
  return undefined;
}

function aboutService(label: string, value: string): readonly Question[] {
  const one = `{${label}=${JSON.stringify(value)}}`;
  return [
    lines(one),
    lines(`${one} |= "no-such-word-at-all"`),
    perMinute(`sum by (${label}) (rate({${label}=~".+"}[5m]))`),
    { path: `${PATH}/labels`, parameters: {}, seconds: HOUR },
    { path: `${PATH}/label/${encodeURIComponent(label)}/values`, parameters: {}, seconds: HOUR },
    { path: `${PATH}/series`, parameters: { match: one }, seconds: HOUR },
  ];
}

function lines(query: string): Question {
  return { path: `${PATH}/query_range`, parameters: { query, limit: "300", direction: "backward" }, seconds: HOUR };
}

function perMinute(query: string): Question {
  return { path: `${PATH}/query_range`, parameters: { query, step: "60" }, seconds: HOUR };
}
