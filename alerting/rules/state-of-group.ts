import type { AlertStateInfo, RuleGroupState, RuleState } from "@sightline/model/rules.ts";
import type { ActiveAlert } from "./alerting-rule.ts";
import type { EvaluatedRule, RuleGroup } from "./rule-group.ts";

/** What is shown of a group. */
export function stateOfGroup(group: RuleGroup): RuleGroupState {
  const { config, file, intervalMs, evaluationMs, lastEvaluationMs } = group;
  return {
    name: config.name,
    file,
    intervalMs,
    limit: config.limit,
    evaluationMs,
    lastEvaluationMs,
    rules: group.rules.map(stateOfRule),
  };
}

function stateOfRule({
  config,
  alerting,
  health,
  lastError,
  evaluationMs,
  lastEvaluationMs,
}: EvaluatedRule): RuleState {
  const { name, expression, labels } = config;
  const common = { name, query: expression.text, language: expression.language, labels, health, lastError };
  const base = { ...common, evaluationMs, lastEvaluationMs };
  if (!alerting) return { ...base, type: "recording" };
  const { annotations, forMs, keepFiringForMs } = config;
  const alerts = [...alerting.alerts].filter(({ resolvedAtMs }) => resolvedAtMs === 0).map(infoOf);
  const state = lastEvaluationMs === 0 ? "unknown" : alerting.state;
  return { ...base, type: "alerting", annotations, forMs, keepFiringForMs, state, alerts };
}

function infoOf({ labels, annotations, state, activeAtMs, keepFiringSinceMs, value }: ActiveAlert): AlertStateInfo {
  return { labels: Object.fromEntries(labels), annotations, state, activeAtMs, keepFiringSinceMs, value };
}
