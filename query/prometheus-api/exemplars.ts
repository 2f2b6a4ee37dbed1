import { InvalidInputError } from "@sightline/model/errors.ts";
import { labelsKey } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { SeriesExemplars } from "@sightline/model/metric-store.ts";
import { labelsJson } from "../http/labels-json.ts";
import type { QueryHandler } from "../http/query-api.ts";
import { sendChunks } from "../http/send-chunks.ts";
import { timeText } from "../http/time-text.ts";
import type { Expr } from "../promql/ast.ts";
import { childExprs } from "../promql/child-exprs.ts";
import { parsePromql } from "../promql/parse/parse-promql.ts";
import { floatText } from "./float-text.ts";
import { optionalRange } from "./parameters.ts";
import type { PrometheusApiDeps } from "./prometheus-api-deps.ts";

/** `/api/v1/query_exemplars`: the exemplars of every series that the expression selects. */
export function exemplarsHandler({ store, engine }: PrometheusApiDeps): QueryHandler {
  return async ({ tenant, parameters, signal, request, reply }) => {
    const range = optionalRange(parameters);
    if (range.endMs < range.startMs) throw new InvalidInputError("end timestamp must not be before start timestamp");
    const selectors = [...selectorsOf(parsePromql(parameters.get("query")))];
    if (selectors.length === 0) return reply.code(204).send();
    const bySeries = new Map<string, SeriesExemplars>();
    for (const written of selectors) {
      const matchers = await engine.storedMatchers(written, { tenant, range, signal });
      for (const series of await store.exemplars({ tenant, range, matchers }, signal)) {
        bySeries.set(labelsKey(series.labels), series);
      }
    }
    return sendChunks(request, reply, "application/json", encodeExemplars([...bySeries.values()]));
  };
}

function* selectorsOf(expr: Expr): Generator<readonly Matcher[]> {
  if (expr.kind === "vector") yield expr.matchers;
  if (expr.kind === "matrix") yield expr.vector.matchers;
  for (const child of childExprs(expr)) yield* selectorsOf(child);
}

function* encodeExemplars(series: readonly SeriesExemplars[]): Generator<string> {
  yield '{"status":"success","data":[';
  let separator = "";
  for (const { labels, exemplars } of series) {
    const points = exemplars.map(
      (exemplar) =>
        `{"labels":${labelsJson(exemplar.labels)},"value":"${floatText(exemplar.value)}","timestamp":${timeText(exemplar.timeMs)}}`,
    );
    yield `${separator}{"seriesLabels":${labelsJson(labels)},"exemplars":[${points.join(",")}]}`;
    separator = ",";
  }
  yield "]}";
}
