import { type QueryApiDeps, type QueryHandler, sendJson } from "../http/query-api.ts";
import { SIGNATURES } from "../promql/parse/signatures.ts";

const OPERATORS =
  "!= !~ % * + - / < </ <= == =~ > >/ >= @ ^ and atan2 avg bottomk count count_values group limit_ratio limitk max min or quantile stddev stdvar sum topk unless";
const SYNTAX =
  "anchored at_modifier bool by delayed_name_removal duration_expr fill fill_left fill_right group_left group_right ignoring negative_offset offset on per_query_lookback_delta per_step_stats smoothed subqueries without";
const API_ON =
  "exclude_alerts label_values_match openapi_3.1 otlp_write_receiver query_stats query_warnings remote_write_receiver search search_fuzz_alg_jarowinkler search_fuzz_alg_subsequence time_range_labels time_range_series";
const API_OFF = "lifecycle openapi_3.2";

/** By category and name as in Prometheus' util/features; a name it does not have is one we do not have. */
const FEATURES = {
  api: { ...flags(API_ON, true), ...flags(API_OFF, false) },
  otlp_receiver: { delta_conversion: false, native_delta_ingestion: true },
  prometheus: { agent_mode: false, auto_reload_config: false, server_mode: true },
  promql: { ...flags(SYNTAX, true), ...flags("type_and_unit_labels", false) },
  promql_functions: flags([...SIGNATURES.keys()].sort().join(" "), true),
  promql_operators: flags(OPERATORS, true),
};

/** `/api/v1/features` */
export function featuresHandler({ config }: Pick<QueryApiDeps, "config">): QueryHandler {
  const data = { ...FEATURES, api: { ...FEATURES.api, admin: config.admin_api } };
  return async ({ reply }) => sendJson(reply, { status: "success", data });
}

function flags(names: string, value: boolean): Record<string, boolean> {
  return Object.fromEntries(names.split(" ").map((name) => [name, value]));
}
