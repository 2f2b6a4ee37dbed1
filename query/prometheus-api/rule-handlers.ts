import { parseGoBool, parseGoInt } from "../http/go-syntax.ts";
import { type QueryHandler, sendJson } from "../http/query-api.ts";
import type { RequestParameters } from "../http/request-parameters.ts";
import { parseMatcherSets } from "./matcher-sets.ts";
import { goIntError, invalidParameter } from "./parameters.ts";

const MAX_GROUP_LIMIT = 2n ** 31n - 1n;

/**
 * `/api/v1/rules` while no rules are evaluated here: the filters are checked as Prometheus checks them, so that a client
 * with a mistake hears of it, and no group passes them.
 */
export const rulesHandler: QueryHandler = async ({ parameters, reply }) => {
  parseMatcherSets(parameters.all("match[]"));
  const type = parameters.get("type").toLowerCase();
  if (!["", "alert", "record"].includes(type)) throw invalidParameter("type", `not supported value "${type}"`);
  const excluded = parameters.get("exclude_alerts").toLowerCase();
  if (excluded !== "" && parseGoBool(excluded) === undefined) {
    const problem = `strconv.ParseBool: parsing ${JSON.stringify(excluded)}: invalid syntax`;
    throw invalidParameter("exclude_alerts", `error converting exclude_alerts: ${problem}`);
  }
  checkPage(parameters);
  return sendJson(reply, { status: "success", data: { groups: [] } });
};

function checkPage(parameters: RequestParameters): void {
  const limit = parameters.get("group_limit");
  const token = parameters.get("group_next_token");
  if (limit === "") {
    if (token === "") return;
    const problem = "group_limit needs to be present in order to paginate over the groups";
    throw invalidParameter("group_next_token", problem);
  }
  const count = parseGoInt(limit);
  if (count === undefined || count > MAX_GROUP_LIMIT || count < -MAX_GROUP_LIMIT - 1n) {
    const problem = `group_limit needs to be a valid number: ${goIntError("ParseInt", limit)}`;
    throw invalidParameter("group_limit", problem);
  }
  if (count <= 0n) throw invalidParameter("group_limit", "group_limit needs to be greater than 0");
  if (token === "") return;
  throw invalidParameter("group_next_token", `invalid group_next_token '${token}'. were rule groups changed?`);
}

/** `/api/v1/alerts` */
export const alertsHandler: QueryHandler = async ({ reply }) =>
  sendJson(reply, { status: "success", data: { alerts: [] } });

/** `/api/v1/alertmanagers` */
export const alertmanagersHandler: QueryHandler = async ({ reply }) =>
  sendJson(reply, { status: "success", data: { activeAlertmanagers: [], droppedAlertmanagers: [] } });
