import type { LabelMap } from "../../alert.ts";
import type { AlertmanagerConfig } from "../config/alertmanager-config.ts";
import type { InhibitRuleConfig } from "../config/inhibit-rule-config.ts";
import { type LabelMatcher, matchesAll } from "../matchers/label-matcher.ts";
import { intervalContains } from "../timing/time-interval.ts";
import type { Route } from "./route.ts";

/** An alert that fired for a while; without an end it goes on. */
export type FiringAlert = { readonly labels: LabelMap; readonly startMs: number; readonly endMs: number | undefined };
export type HoldReason = "inhibited" | "muted" | "silenced";
/** Why an alert would not have been told by a route at a time; undefined: nothing stood in the way. */
export type HoldBack = (alert: FiringAlert, route: Route, atMs: number) => HoldReason | undefined;

/** From its start to its end, both included. */
export type PastSilence = {
  readonly matchers: readonly LabelMatcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
};

export type HoldBackOptions = Pick<AlertmanagerConfig, "inhibitRules" | "timeIntervals"> & {
  /** All that could have inhibited one another. */
  readonly alerts: readonly FiringAlert[];
  readonly silences: readonly PastSilence[];
};

/** What would have held alerts back that fired at known times, in the order in which the pipeline looks. */
export function holdBack({ inhibitRules, timeIntervals, alerts, silences }: HoldBackOptions): HoldBack {
  const inhibitions = inhibitRules.map((rule) => inhibitionBy(rule, alerts));
  const silencesOf = remembered((labels: LabelMap) => silences.filter(({ matchers }) => matchesAll(matchers, labels)));
  const contains = (name: string, atMs: number) =>
    (timeIntervals.get(name) ?? []).some((interval) => intervalContains(interval, atMs));
  return (alert, { activeTimeIntervals: active, muteTimeIntervals: mute }, atMs) => {
    if (inhibitions.some((isInhibited) => isInhibited(alert.labels, atMs))) return "inhibited";
    if (active.length > 0 && !active.some((name) => contains(name, atMs))) return "muted";
    if (mute.some((name) => contains(name, atMs))) return "muted";
    const isSilenced = silencesOf(alert.labels).some((one) => one.startsAtMs <= atMs && atMs <= one.endsAtMs);
    return isSilenced ? "silenced" : undefined;
  };
}

function inhibitionBy(rule: InhibitRuleConfig, alerts: readonly FiringAlert[]) {
  const keyOf = (labels: LabelMap) => JSON.stringify(rule.equal.map((name) => labels[name] ?? ""));
  const sources = Map.groupBy(
    alerts.filter(({ labels }) => matchesAll(rule.sourceMatchers, labels)),
    ({ labels }) => keyOf(labels),
  );
  const isTarget = remembered((labels: LabelMap) => matchesAll(rule.targetMatchers, labels));
  const isSource = remembered((labels: LabelMap) => matchesAll(rule.sourceMatchers, labels));
  return (labels: LabelMap, atMs: number) =>
    isTarget(labels) &&
    (sources.get(keyOf(labels)) ?? []).some(
      ({ labels: of, startMs, endMs }) =>
        // Alerts that match both sides do not hold each other back, nor themselves.
        startMs <= atMs && (endMs === undefined || atMs < endMs) && !(isSource(labels) && isTarget(of)),
    );
}

/** Alerts are asked about at each look at their group, and their labels are the same objects each time. */
function remembered<T>(compute: (labels: LabelMap) => T): (labels: LabelMap) => T {
  const known = new WeakMap<LabelMap, { readonly value: T }>();
  return (labels) => {
    const before = known.get(labels) ?? { value: compute(labels) };
    known.set(labels, before);
    return before.value;
  };
}
