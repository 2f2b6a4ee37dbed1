import { isResolvedAt, type LabelMap } from "../../alert.ts";
import type { Alertmanager } from "../alertmanager.ts";
import type { KnownAlert } from "../alerts/known-alert.ts";
import { groupLabelsOf, matchRoutes, type Route } from "../dispatch/route.ts";
import { formatLabelMap } from "../labels.ts";
import { EntryMemory } from "../notification-log/entry-memory.ts";
import { decideNotification, type NotifyDecision } from "../notification-log/notify-decision.ts";
import type { Integration } from "../pipeline/integration.ts";
import { intervalContains } from "../timing/time-interval.ts";

/** What would come of an alert, or comes of it, one entry per route that it takes. */
export type Explanation = {
  readonly fingerprint: string;
  readonly inhibitedBy: { readonly alert: string; readonly labels: LabelMap; readonly rule: string } | undefined;
  readonly silencedBy: readonly { readonly id: string; readonly createdBy: string; readonly comment: string }[];
  readonly routes: readonly RouteExplanation[];
};
export type RouteExplanation = {
  /** `{}/{severity="page"}/0`: the way from the root, and the place among its siblings. */
  readonly route: string;
  readonly receiver: string;
  readonly groupKey: string;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** Names of the intervals of which one would have to contain the time, when none does. */
  readonly outsideOf: readonly string[];
  readonly mutedBy: readonly string[];
  /** In one sentence. */
  readonly verdict: string;
  readonly integrations: readonly {
    readonly integration: string;
    readonly decision: NotifyDecision;
    readonly lastNotified: string | undefined;
    /** What its templates make of the alert alone. */
    readonly texts: Readonly<Record<string, string>>;
  }[];
};

/** Takes the alert through the same steps as a notification, and says what each would do at the time. Sends nothing. */
export function explainAlert(alertmanager: Alertmanager, alert: KnownAlert, atMs: number): Explanation {
  const { silences, inhibitor, dispatcher } = alertmanager;
  const inhibition = inhibitor.inhibitionOf(alert.labels, atMs);
  const silencedBy = silences.silencesOf(alert.fingerprint, alert.labels, atMs).flatMap((id) => {
    const silence = silences.find(id);
    return silence ? [{ id, createdBy: silence.createdBy, comment: silence.comment }] : [];
  });
  const held = inhibition ? "inhibited" : silencedBy.length > 0 ? "silenced" : undefined;
  return {
    fingerprint: alert.fingerprint,
    inhibitedBy: inhibition && {
      alert: inhibition.by.fingerprint,
      labels: inhibition.by.labels,
      rule: inhibition.rule.name,
    },
    silencedBy,
    routes: matchRoutes(dispatcher.root, alert.labels).map((route) =>
      explainRoute(alertmanager, route, alert, atMs, held),
    ),
  };
}

function explainRoute(
  alertmanager: Alertmanager,
  route: Route,
  alert: KnownAlert,
  atMs: number,
  held: string | undefined,
): RouteExplanation {
  const { timeIntervals } = alertmanager.config;
  const contains = (name: string) => (timeIntervals.get(name) ?? []).some((one) => intervalContains(one, atMs));
  const { activeTimeIntervals, muteTimeIntervals } = route;
  const isActive = activeTimeIntervals.length === 0 || activeTimeIntervals.some(contains);
  const outsideOf = isActive ? [] : activeTimeIntervals;
  const mutedBy = muteTimeIntervals.filter(contains);
  const labels = groupLabelsOf(route, alert.labels);
  const groupKey = `${route.key}:${formatLabelMap(labels)}`;
  const integrations = (alertmanager.receivers.integrations.get(route.receiver) ?? []).map((integration) =>
    explainIntegration(alertmanager, integration, { route, groupKey, labels }, alert, atMs),
  );
  return {
    route: route.id,
    receiver: route.receiver,
    groupKey,
    groupWaitMs: route.groupWaitMs,
    groupIntervalMs: route.groupIntervalMs,
    repeatIntervalMs: route.repeatIntervalMs,
    outsideOf,
    mutedBy,
    verdict: verdict(held, outsideOf, mutedBy, integrations),
    integrations,
  };
}

function explainIntegration(
  alertmanager: Alertmanager,
  integration: Integration,
  { route, groupKey, labels }: { readonly route: Route; readonly groupKey: string; readonly labels: LabelMap },
  alert: KnownAlert,
  atMs: number,
): RouteExplanation["integrations"][number] {
  const { receiver, name, notifier } = integration;
  const last = alertmanager.log.find({ groupKey, receiver, integration: name });
  const own = new Set([alert.fingerprint]);
  const none = new Set<string>();
  const isOver = isResolvedAt(alert, atMs);
  const decision = decideNotification(
    last,
    { firing: isOver ? none : own, resolved: isOver ? own : none },
    { sendsResolved: notifier.sendsResolved, repeatIntervalMs: route.repeatIntervalMs, nowMs: atMs },
  );
  const reason = decision.notify ? decision.reason : "first notification";
  const notification = {
    receiver,
    groupKey,
    groupLabels: labels,
    routeLabels: {},
    reason,
    memory: new EntryMemory(last, reason),
    alerts: [alert],
    nowMs: atMs,
  };
  return {
    integration: name,
    decision,
    lastNotified: last && new Date(last.timeMs).toISOString(),
    texts: integration.preview?.(notification) ?? {},
  };
}

function verdict(
  held: string | undefined,
  outsideOf: readonly string[],
  mutedBy: readonly string[],
  integrations: RouteExplanation["integrations"],
): string {
  if (held) return `not notified: it is ${held}`;
  if (outsideOf.length > 0) return `not notified: the time is outside of ${outsideOf.join(", ")}`;
  if (mutedBy.length > 0) return `not notified: muted by ${mutedBy.join(", ")}`;
  if (integrations.length === 0) return "not notified: the receiver has no integrations";
  const told = integrations.filter(({ decision }) => decision.notify).map(({ integration }) => integration);
  if (told.length > 0) return `notified by ${told.join(", ")}`;
  return `not notified now: ${integrations[0]?.decision.reason}`;
}
