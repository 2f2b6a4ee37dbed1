import { isResolvedAt, type LabelMap } from "../../alert.ts";
import type { Alertmanager } from "../alertmanager.ts";
import type { KnownAlert } from "../alerts/known-alert.ts";
import { groupLabelsOf, matchRoutes, type Route } from "../dispatch/route.ts";
import { type ShownFlapping, shownFlapping } from "../flapping/shown-flapping.ts";
import { type FlapStatus, memberOf } from "../flapping/told-alert.ts";
import { formatLabelMap } from "../labels.ts";
import { EntryMemory } from "../notification-log/entry-memory.ts";
import { decideNotification, type NotifyDecision } from "../notification-log/notify-decision.ts";
import type { Integration } from "../pipeline/integration.ts";
import { formatGoDuration } from "../timing/duration.ts";
import { intervalContains } from "../timing/time-interval.ts";
import type { Decision } from "./decision.ts";

/** What would come of an alert, or comes of it, one entry per route that it takes. */
export type Explanation = {
  readonly fingerprint: string;
  readonly inhibitedBy: { readonly alert: string; readonly labels: LabelMap; readonly rule: string } | undefined;
  readonly silencedBy: readonly {
    readonly id: string;
    readonly createdBy: string;
    readonly comment: string;
    readonly endsAt: string;
  }[];
  /** Its changes are held back. */
  readonly flapping: ShownFlapping | undefined;
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
    /** What came of the last attempt, when that failed. */
    readonly lastFailure: { readonly at: string; readonly answer: string } | undefined;
    /** What its templates make of the alert alone. */
    readonly texts: Readonly<Record<string, string>>;
  }[];
};

/**
 * Takes the alert through the same steps as a notification, and says what each would do at the time. Sends nothing.
 * `decisions`: what was decided about it before, newest first.
 */
export function explainAlert(
  alertmanager: Alertmanager,
  alert: KnownAlert,
  atMs: number,
  decisions: readonly Decision[] = [],
): Explanation {
  const { silences, inhibitor, dispatcher } = alertmanager;
  const inhibition = inhibitor.inhibitionOf(alert.labels, atMs);
  const silencedBy = silences.silencesOf(alert.fingerprint, alert.labels, atMs).flatMap((id) => {
    const silence = silences.find(id);
    if (!silence) return [];
    const { createdBy, comment, endsAtMs } = silence;
    return [{ id, createdBy, comment, endsAt: new Date(endsAtMs).toISOString() }];
  });
  const flapping = alertmanager.flaps?.flappingOf(alert.fingerprint, atMs);
  const [silence] = silencedBy;
  const held = inhibition
    ? `inhibited by ${formatLabelMap(inhibition.by.labels)}`
    : silence && `silenced by ${silence.createdBy} until ${silence.endsAt}: ${silence.comment} (${silence.id})`;
  return {
    fingerprint: alert.fingerprint,
    inhibitedBy: inhibition && {
      alert: inhibition.by.fingerprint,
      labels: inhibition.by.labels,
      rule: inhibition.rule.name,
    },
    silencedBy,
    flapping: flapping && shownFlapping(flapping),
    routes: matchRoutes(dispatcher.root, alert.labels).map((route) =>
      explainRoute(alertmanager, route, alert, { atMs, held, flapping, decisions }),
    ),
  };
}

type Circumstances = {
  readonly atMs: number;
  /** What holds it back, whatever the route. */
  readonly held: string | undefined;
  readonly flapping: FlapStatus | undefined;
  readonly decisions: readonly Decision[];
};

function explainRoute(
  alertmanager: Alertmanager,
  route: Route,
  alert: KnownAlert,
  { atMs, held, flapping, decisions }: Circumstances,
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
    explainIntegration(alertmanager, integration, { route, groupKey, labels }, alert, { atMs, decisions }),
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
    verdict: verdict(held, outsideOf, mutedBy, { route, flapping, integrations }),
    integrations,
  };
}

function explainIntegration(
  alertmanager: Alertmanager,
  integration: Integration,
  { route, groupKey, labels }: { readonly route: Route; readonly groupKey: string; readonly labels: LabelMap },
  alert: KnownAlert,
  { atMs, decisions }: Pick<Circumstances, "atMs" | "decisions">,
): RouteExplanation["integrations"][number] {
  const { receiver, name, notifier } = integration;
  const last = alertmanager.log.find({ groupKey, receiver, integration: name });
  const told = alertmanager.flaps?.asTold(alert, last, atMs) ?? alert;
  const own = new Set([memberOf(told)]);
  const none = new Set<string>();
  const isOver = isResolvedAt(told, atMs);
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
    alerts: [told],
    nowMs: atMs,
  };
  return {
    integration: name,
    decision,
    lastFailure: failureOf(lastOutcome(decisions, { groupKey, receiver, integration: name })),
    lastNotified: last && new Date(last.timeMs).toISOString(),
    texts: integration.preview?.(notification) ?? {},
  };
}

function failureOf(decision: Decision | undefined) {
  if (decision?.kind !== "failed") return undefined;
  return { at: new Date(decision.atMs).toISOString(), answer: String(decision.detail.answer ?? "") };
}

/** What the last decision about an integration was, of those that say whether it was told. */
function lastOutcome(
  decisions: readonly Decision[],
  about: { readonly groupKey: string; readonly receiver: string; readonly integration: string },
): Decision | undefined {
  return decisions.find(
    ({ kind, groupKey, receiver, integration }) =>
      (kind === "notified" || kind === "failed") &&
      groupKey === about.groupKey &&
      receiver === about.receiver &&
      integration === about.integration,
  );
}

function verdict(
  held: string | undefined,
  outsideOf: readonly string[],
  mutedBy: readonly string[],
  {
    route,
    flapping,
    integrations,
  }: Pick<Circumstances, "flapping"> & {
    readonly route: Route;
    readonly integrations: RouteExplanation["integrations"];
  },
): string {
  if (held) return `not told: it is ${held}`;
  if (outsideOf.length > 0) return `not told: the time is outside of ${outsideOf.join(", ")} (active_time_intervals)`;
  if (mutedBy.length > 0) return `not told: the time is within ${mutedBy.join(", ")} (mute_time_intervals)`;
  if (integrations.length === 0) return `not told: the receiver ${route.receiver} has no integrations`;
  return integrations.map((one) => integrationVerdict(one, route, flapping)).join("; ");
}

function integrationVerdict(
  { integration, decision, lastNotified, lastFailure }: RouteExplanation["integrations"][number],
  { groupWaitMs, repeatIntervalMs }: Route,
  flapping: FlapStatus | undefined,
): string {
  if (lastFailure) return `${integration}: not told: it was tried at ${lastFailure.at}: ${lastFailure.answer}`;
  if (decision.notify) {
    const wait = lastNotified
      ? "with the next interval of its group"
      : `after group_wait (${formatGoDuration(groupWaitMs)})`;
    return `${integration}: told ${wait}: ${flapping ? "it flaps" : decision.reason}`;
  }
  if (!lastNotified) return `${integration}: not told: ${decision.reason}`;
  const again = new Date(Date.parse(lastNotified) + repeatIntervalMs).toISOString();
  if (flapping) {
    const calmAt = new Date(flapping.calmAtMs).toISOString();
    return `${integration}: told at ${lastNotified} that it flaps, its state is told when it is calm: at ${calmAt} if it does not change`;
  }
  return `${integration}: told at ${lastNotified}, again at ${again} if nothing changes`;
}
