/** The questions of the comparison with other log stores, asked of the records of bench/workloads/logs.ts. */
import type { TimedQuery } from "./queries.ts";
import { NEEDLE } from "./workloads/logs.ts";

const LIMIT = 1_000;
const REGEX = "status=50[0-9] duration_ms=1[0-9]{3}";
/** Trace ids are made of the number of their record. */
const TRACE = (42_423).toString(16).padStart(32, "a");
const HOUR_SECONDS = 3_600;

/** `lines` in the language of the server; for counts `perMinute`. */
type Question = { readonly name: string; readonly kind: "lines" | "perMinute" | "values"; readonly text: string };
const QUESTIONS: ReadonlyMap<string, readonly Question[]> = new Map([
  [
    "logql",
    [
      { name: "latest lines of a service", kind: "lines", text: '{service_name="checkout"}' },
      { name: "needle, one service", kind: "lines", text: `{service_name="checkout"} |= "${NEEDLE}"` },
      { name: "needle, all services", kind: "lines", text: `{service_name=~".+"} |= "${NEEDLE}"` },
      { name: "absent word, all services", kind: "lines", text: '{service_name=~".+"} |= "no-such-word-at-all"' },
      { name: "regex, all services", kind: "lines", text: `{service_name=~".+"} |~ "${REGEX}"` },
      { name: "attribute filter, all services", kind: "lines", text: '{service_name=~".+"} | user_id="u-4242"' },
      { name: "trace id, all services", kind: "lines", text: `{service_name=~".+"} | trace_id="${TRACE}"` },
      {
        name: "json parse and filter, one service",
        kind: "lines",
        text: '{service_name="checkout"} |= "{" | json | status >= 500',
      },
      {
        name: "count by level, 1h/1m",
        kind: "perMinute",
        text: 'sum by (severity_text) (count_over_time({service_name=~".+"}[1m]))',
      },
      {
        name: "count by service, 1h/1m",
        kind: "perMinute",
        text: 'sum by (service_name) (count_over_time({service_name=~".+"}[1m]))',
      },
      {
        name: "count of needle, 1h/1m",
        kind: "perMinute",
        text: `sum(count_over_time({service_name=~".+"} |= "${NEEDLE}" [1m]))`,
      },
      { name: "label values", kind: "values", text: "service_name" },
    ],
  ],
  [
    "logsql",
    [
      { name: "latest lines of a service", kind: "lines", text: '{service.name="checkout"}' },
      { name: "needle, one service", kind: "lines", text: `{service.name="checkout"} "${NEEDLE}"` },
      { name: "needle, all services", kind: "lines", text: `"${NEEDLE}"` },
      { name: "absent word, all services", kind: "lines", text: '"no-such-word-at-all"' },
      { name: "regex, all services", kind: "lines", text: `~"${REGEX}"` },
      { name: "attribute filter, all services", kind: "lines", text: 'user.id:="u-4242"' },
      { name: "trace id, all services", kind: "lines", text: `trace_id:="${TRACE}"` },
      {
        name: "json parse and filter, one service",
        kind: "lines",
        text: '{service.name="checkout"} "{" | unpack_json fields (status) | filter status:>=500',
      },
      { name: "count by level, 1h/1m", kind: "perMinute", text: "* | stats by (severity) count() n" },
      { name: "count by service, 1h/1m", kind: "perMinute", text: "* | stats by (service.name) count() n" },
      { name: "count of needle, 1h/1m", kind: "perMinute", text: `"${NEEDLE}" | stats count() n` },
      { name: "label values", kind: "values", text: "service.name" },
    ],
  ],
]);

/** How a language is asked over HTTP, over the hour before `endSeconds`. */
const ASKED: ReadonlyMap<string, (question: Question, endSeconds: number) => TimedQuery> = new Map([
  [
    "logql",
    ({ name, kind, text }, endSeconds) => {
      const range = { start: String(endSeconds - HOUR_SECONDS), end: String(endSeconds) };
      if (kind === "values") return { name, path: `/loki/api/v1/label/${text}/values`, params: range };
      const params = { query: text, limit: String(LIMIT), step: "60", ...range };
      return { name, path: "/loki/api/v1/query_range", params };
    },
  ],
  [
    "logsql",
    ({ name, kind, text }, endSeconds) => {
      const range = { start: String(endSeconds - HOUR_SECONDS), end: String(endSeconds) };
      if (kind === "values") {
        return { name, path: "/select/logsql/field_values", params: { query: "*", field: text, ...range } };
      }
      if (kind === "perMinute") {
        return { name, path: "/select/logsql/stats_query_range", params: { query: text, step: "1m", ...range } };
      }
      const query = `${text} | sort by (_time) desc limit ${LIMIT}`;
      return { name, path: "/select/logsql/query", params: { query, ...range } };
    },
  ],
]);
export const LOG_LANGUAGES = [...QUESTIONS.keys()];

/** Throws for a language that is none of {@link LOG_LANGUAGES}. */
export function logQueries(language: string, endSeconds: number): readonly TimedQuery[] {
  const [questions, asked] = [QUESTIONS.get(language), ASKED.get(language)];
  if (!questions || !asked) throw new Error(`write one of ${LOG_LANGUAGES.join(", ")}, not ${language}`);
  return questions.map((question) => asked(question, endSeconds));
}
