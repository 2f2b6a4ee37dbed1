import { LimitError } from "@sightline/model/errors.ts";
import { type QueryCall, type QueryHandler, sendJson } from "../http/query-api.ts";
import type { Expr } from "../promql/ast.ts";
import { exprJson } from "../promql/format/expr-json.ts";
import { prettyExpr } from "../promql/format/pretty-expr.ts";
import { parsePromql } from "../promql/parse/parse-promql.ts";
import { invalidParameter } from "./parameters.ts";
import type { PrometheusApiDeps } from "./prometheus-api-deps.ts";

/** `/api/v1/format_query` */
export function formatQueryHandler(deps: PrometheusApiDeps): QueryHandler {
  return async (call) => sendJson(call.reply, { status: "success", data: prettyExpr(parseQuery(deps, call)) });
}

/** `/api/v1/parse_query` */
export function parseQueryHandler(deps: PrometheusApiDeps): QueryHandler {
  return async (call) => sendJson(call.reply, { status: "success", data: exprJson(parseQuery(deps, call)) });
}

function parseQuery({ config }: PrometheusApiDeps, { parameters }: QueryCall): Expr {
  const text = parameters.get("query");
  if (Buffer.byteLength(text) > config.max_query_bytes) {
    throw new LimitError(`the query is longer than query.max_query_bytes (${config.max_query_bytes}) allows`);
  }
  try {
    return parsePromql(text);
  } catch (error) {
    if (error instanceof Error) throw invalidParameter("query", error.message, error);
    throw error;
  }
}
