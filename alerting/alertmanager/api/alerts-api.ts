import { InvalidInputError } from "@sightline/model/errors.ts";
import type { LabelMap } from "../../alert.ts";
import type { Alertmanager } from "../alertmanager.ts";
import type { IncomingAlert } from "../alerts/incoming-alert.ts";
import type { KnownAlert } from "../alerts/known-alert.ts";
import { compareAlerts } from "../alerts/known-alert.ts";
import { matchRoutes } from "../dispatch/route.ts";
import { compareLabelMaps, labelMap } from "../labels.ts";
import type { LabelMatcher } from "../matchers/label-matcher.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { matchesFilter, type QueryParameters, readFlag, readMatchers, readReceiver } from "./alert-filter.ts";
import { parseDateTime } from "./date-time.ts";
import { type AlertStatus, alertStatus, gettableAlert, isSuppressed } from "./gettable-alert.ts";
import { jsonArray } from "./json-array.ts";

type Filter = {
  /** By its time and labels: cheap. */
  readonly alert: (alert: KnownAlert) => boolean;
  /** Undefined: it is not wanted for what holds it back, or does not. */
  readonly status: (alert: KnownAlert) => AlertStatus | undefined;
  /** Some alerts are not wanted for their status. */
  readonly byStatus: boolean;
  readonly receiver: (receiver: string) => boolean;
};

/** GET /api/v2/alerts. Throws `InvalidInputError`. */
export function getAlerts(alertmanager: Alertmanager, parameters: QueryParameters, syntax: MatcherSyntax) {
  const filter = readFilter(alertmanager, parameters, syntax);
  const alerts = alertmanager.alerts.all.filter(filter.alert).sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
  const { root } = alertmanager.dispatcher;
  return jsonArray(alerts, (alert) => {
    const receivers = matchRoutes(root, alert.labels).map(({ receiver }) => receiver);
    const status = receivers.some(filter.receiver) ? filter.status(alert) : undefined;
    return status && gettableAlert(alert, status, receivers, []);
  });
}

/** GET /api/v2/alerts/groups. Throws `InvalidInputError`. */
export function getAlertGroups(alertmanager: Alertmanager, parameters: QueryParameters, syntax: MatcherSyntax) {
  const filter = readFilter(alertmanager, parameters, syntax);
  const withMuted = readFlag(parameters, "muted");
  const nowMs = Date.now();
  const isWanted = (alert: KnownAlert) =>
    filter.alert(alert) && (!filter.byStatus || filter.status(alert) !== undefined);
  const groups = [...alertmanager.dispatcher.groups()]
    .filter(({ route }) => filter.receiver(route.receiver))
    .map((group) => ({ group, alerts: group.alerts.filter(isWanted) }))
    .filter(({ alerts, group }) => alerts.length > 0 && (withMuted || group.mutedBy.length === 0))
    .sort(
      ({ group: a }, { group: b }) =>
        compareLabelMaps(a.labels, b.labels) || (a.route.receiver < b.route.receiver ? -1 : 1),
    );
  const receiversOf = new Map<string, string[]>();
  for (const { group, alerts } of groups) {
    for (const { fingerprint } of alerts) {
      const receivers = receiversOf.get(fingerprint);
      if (receivers) receivers.push(group.route.receiver);
      else receiversOf.set(fingerprint, [group.route.receiver]);
    }
  }
  return jsonArray(groups, ({ group, alerts }) => ({
    alerts: alerts.sort(compareAlerts).flatMap((alert) => {
      const status = filter.status(alert);
      const receivers = receiversOf.get(alert.fingerprint)?.toSorted() ?? [];
      return status ? [gettableAlert(alert, status, receivers, group.mutedBy)] : [];
    }),
    labels: group.labels,
    receiver: { name: group.route.receiver },
    routeLabels: alertmanager.receivers.routeLabels({ group, alerts, nowMs }),
  }));
}

function readFilter(alertmanager: Alertmanager, parameters: QueryParameters, syntax: MatcherSyntax): Filter {
  const matchers = readMatchers(parameters, "filter", syntax);
  const [active, silenced, inhibited] = ["active", "silenced", "inhibited"].map((name) => readFlag(parameters, name));
  const nowMs = Date.now();
  return {
    alert: (alert) => alert.endsAtMs >= nowMs && matchesFilter(matchers, alert.labels),
    byStatus: !(active && silenced && inhibited),
    status: (alert) => {
      const status = alertStatus(alertmanager, alert, nowMs);
      const isOut =
        (!active && !isSuppressed(status)) ||
        (!silenced && status.silencedBy.length > 0) ||
        (!inhibited && status.inhibitedBy.length > 0);
      return isOut ? undefined : status;
    },
    receiver: receiverFilter(alertmanager, parameters, readMatchers(parameters, "receiver_matchers", syntax)),
  };
}

function receiverFilter(
  alertmanager: Alertmanager,
  parameters: QueryParameters,
  matchers: readonly LabelMatcher[],
): (receiver: string) => boolean {
  const isWanted = readReceiver(parameters);
  const labels = new Map(alertmanager.config.receivers.map(({ name, labels }) => [name, labelMap(labels)]));
  return (receiver) => {
    if (isWanted && !isWanted(receiver)) return false;
    const own = labels.get(receiver);
    return matchers.length === 0 || (own !== undefined && matchesFilter(matchers, own));
  };
}

/** The body of POST /api/v2/alerts. Throws `InvalidInputError`. */
export function readPostedAlerts(body: unknown): readonly IncomingAlert[] {
  if (!Array.isArray(body)) throw new InvalidInputError('parsing alerts body from "" failed: it is not an array');
  return body.map((alert, i) => {
    if (typeof alert !== "object" || alert === null) throw new InvalidInputError(`alerts[${i}] is not an object`);
    const { labels, annotations, startsAt, endsAt, generatorURL } = alert as Record<string, unknown>;
    const where = `alerts[${i}].`;
    return {
      labels: readLabels(labels, `${where}labels`, true),
      annotations: readLabels(annotations, `${where}annotations`, false),
      startsAtMs: readTime(startsAt, `${where}startsAt`),
      endsAtMs: readTime(endsAt, `${where}endsAt`),
      generatorUrl: readText(generatorURL, `${where}generatorURL`),
    };
  });
}

function readText(value: unknown, where: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw new InvalidInputError(`${where} must be of type string`);
}

export function readTime(value: unknown, where: string): number | undefined {
  const timeMs = parseDateTime(value);
  if (timeMs === null) throw new InvalidInputError(`${where} must be of type date-time: ${JSON.stringify(value)}`);
  return timeMs;
}

export function readLabels(value: unknown, where: string, isRequired: boolean): LabelMap {
  if (value === undefined || value === null) {
    if (isRequired) throw new InvalidInputError(`${where} is required`);
    return {};
  }
  if (typeof value !== "object" || Array.isArray(value)) throw new InvalidInputError(`${where} must be of type object`);
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string") throw new InvalidInputError(`${where}.${name} must be of type string`);
  }
  return value as LabelMap;
}
