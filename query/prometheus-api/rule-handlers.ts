import { createHash } from "node:crypto";
import { labelsFrom } from "@sightline/model/labels.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import type { AlertStateInfo, RuleGroupState, RuleState, RuleStates } from "@sightline/model/rules.ts";
import { goIntError, parseGoBool, parseGoInt } from "../http/go-syntax.ts";
import { type QueryHandler, sendJson } from "../http/query-api.ts";
import type { RequestParameters } from "../http/request-parameters.ts";
import { parseMatcherSets } from "./matcher-sets.ts";
import { invalidParameter } from "./parameters.ts";

const MAX_GROUP_LIMIT = 2n ** 31n - 1n;
const ZERO_TIME = "0001-01-01T00:00:00Z";
/** Of servers that evaluate no rules. */
const NO_RULES: RuleStates = { groups: () => [], alertmanagers: [] };

export type RuleHandlerDeps = { readonly rules?: RuleStates | undefined };

/** `/api/v1/rules` with Prometheus' filters and pages. */
export function rulesHandler({ rules = NO_RULES }: RuleHandlerDeps): QueryHandler {
  return async ({ parameters, reply, tenant }) => {
    const keeps = ruleFilter(parameters);
    const excludeAlerts = excludesAlerts(parameters);
    const page = pageOf(parameters);
    const [names, files] = [new Set(parameters.all("rule_group[]")), new Set(parameters.all("file[]"))];
    const groups: object[] = [];
    let next: string | undefined;
    let isFound = page.token === "";
    for (const group of await rules.groups(tenant)) {
      isFound ||= page.token === tokenOf(group);
      if (!isFound || (names.size > 0 && !names.has(group.name)) || (files.size > 0 && !files.has(group.file)))
        continue;
      const kept = group.rules.filter(keeps);
      if (kept.length === 0) continue;
      if (groups.length === page.limit) {
        next = tokenOf(group);
        break;
      }
      groups.push(groupJson(group, kept, excludeAlerts));
    }
    if (!isFound) throw staleToken(page.token);
    return sendJson(reply, {
      status: "success",
      data: { groups, ...(next !== undefined && { groupNextToken: next }) },
    });
  };
}

function ruleFilter(parameters: RequestParameters): (rule: RuleState) => boolean {
  const matchers = parseMatcherSets(parameters.all("match[]")).map(compileMatchers);
  const type = parameters.get("type").toLowerCase();
  if (!["", "alert", "record"].includes(type)) throw invalidParameter("type", `not supported value "${type}"`);
  const names = new Set(parameters.all("rule_name[]"));
  return (rule) =>
    (type === "" || rule.type === (type === "alert" ? "alerting" : "recording")) &&
    (names.size === 0 || names.has(rule.name)) &&
    (matchers.length === 0 || matchers.some((matches) => matches(labelsFrom(rule.labels))));
}

function excludesAlerts(parameters: RequestParameters): boolean {
  const text = parameters.get("exclude_alerts").toLowerCase();
  if (text === "") return false;
  const value = parseGoBool(text);
  if (value !== undefined) return value;
  const problem = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw invalidParameter("exclude_alerts", `error converting exclude_alerts: ${problem}`);
}

/** `token` "": from the first group on. */
function pageOf(parameters: RequestParameters): { readonly limit: number; readonly token: string } {
  const limit = parameters.get("group_limit");
  const token = parameters.get("group_next_token");
  if (limit === "") {
    if (token === "") return { limit: Number.POSITIVE_INFINITY, token };
    const problem = "group_limit needs to be present in order to paginate over the groups";
    throw invalidParameter("group_next_token", problem);
  }
  const count = parseGoInt(limit);
  if (count === undefined || count > MAX_GROUP_LIMIT || count < -MAX_GROUP_LIMIT - 1n) {
    const problem = `group_limit needs to be a valid number: ${goIntError("ParseInt", limit)}`;
    throw invalidParameter("group_limit", problem);
  }
  if (count <= 0n) throw invalidParameter("group_limit", "group_limit needs to be greater than 0");
  return { limit: Number(count), token };
}

function staleToken(token: string): Error {
  return invalidParameter("group_next_token", `invalid group_next_token '${token}'. were rule groups changed?`);
}

function tokenOf({ file, name }: RuleGroupState): string {
  return createHash("sha1").update(`${file};${name}`).digest("hex");
}

function groupJson(group: RuleGroupState, rules: readonly RuleState[], excludeAlerts: boolean): object {
  return {
    name: group.name,
    file: group.file,
    rules: rules.map((rule) => ruleJson(rule, excludeAlerts)),
    interval: group.intervalMs / 1_000,
    limit: group.limit,
    evaluationTime: group.evaluationMs / 1_000,
    lastEvaluation: timeText(group.lastEvaluationMs),
  };
}

function ruleJson(rule: RuleState, excludeAlerts: boolean): object {
  const evaluated = {
    health: rule.health,
    ...(rule.lastError !== "" && { lastError: rule.lastError }),
    evaluationTime: rule.evaluationMs / 1_000,
    lastEvaluation: timeText(rule.lastEvaluationMs),
    type: rule.type,
    // Prometheus knows one language.
    ...(rule.language !== "promql" && { language: rule.language }),
  };
  if (rule.type === "recording") return { name: rule.name, query: rule.query, labels: rule.labels, ...evaluated };
  return {
    state: rule.state,
    name: rule.name,
    query: rule.query,
    duration: rule.forMs / 1_000,
    keepFiringFor: rule.keepFiringForMs / 1_000,
    labels: rule.labels,
    annotations: rule.annotations,
    alerts: excludeAlerts ? null : rule.alerts.map(alertJson),
    ...evaluated,
  };
}

function alertJson({ labels, annotations, state, activeAtMs, keepFiringSinceMs, value }: AlertStateInfo): object {
  return {
    labels,
    annotations,
    state,
    activeAt: timeText(activeAtMs),
    ...(keepFiringSinceMs > 0 && { keepFiringSince: timeText(keepFiringSinceMs) }),
    value: exponentText(value),
  };
}

/** As Go writes times in JSON: without zeros at the end of the fraction. */
function timeText(timeMs: number): string {
  if (timeMs === 0) return ZERO_TIME;
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, "Z");
}

/** strconv.FormatFloat(value, 'e', -1, 64). */
function exponentText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const text = value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  return Object.is(value, -0) ? `-${text}` : text;
}

/** `/api/v1/alerts` */
export function alertsHandler({ rules = NO_RULES }: RuleHandlerDeps): QueryHandler {
  return async ({ reply, tenant }) => {
    const alerts: object[] = [];
    for (const group of await rules.groups(tenant)) {
      for (const rule of group.rules) if (rule.type === "alerting") alerts.push(...rule.alerts.map(alertJson));
    }
    return sendJson(reply, { status: "success", data: { alerts } });
  };
}

/** `/api/v1/alertmanagers` */
export function alertmanagersHandler({ rules = NO_RULES }: RuleHandlerDeps): QueryHandler {
  return async ({ reply }) => {
    const activeAlertmanagers = rules.alertmanagers.map((url) => ({ url }));
    return sendJson(reply, { status: "success", data: { activeAlertmanagers, droppedAlertmanagers: [] } });
  };
}
