import { setImmediate as nextTurn } from "node:timers/promises";
import type { Alertmanager } from "../alertmanager.ts";
import type { IncomingAlert } from "../alerts/incoming-alert.ts";
import type { KnownAlert } from "../alerts/known-alert.ts";
import { compareAlerts } from "../alerts/known-alert.ts";
import { matchRoutes } from "../dispatch/route.ts";
import { compareLabelMaps, labelMap } from "../labels.ts";
import type { LabelMatcher } from "../matchers/label-matcher.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { matchesFilter, type QueryParameters, readFlag, readMatchers, readReceiver } from "./alert-filter.ts";
import { type AlertStatus, alertStatus, gettableAlert, isSuppressed } from "./gettable-alert.ts";
import { jsonArray } from "./json-array.ts";
import { parseJsonArray } from "./json-body.ts";
import { jsonKind, RequestProblem } from "./request-problem.ts";
import { readLabels, readText, readTime } from "./request-values.ts";

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

const ALERTS_PER_TURN = 500;
const ALERT_TYPE =
  'struct { Annotations models.LabelSet "json:\\"annotations,omitempty\\""; EndsAt strfmt.DateTime ' +
  '"json:\\"endsAt,omitempty\\""; StartsAt strfmt.DateTime "json:\\"startsAt,omitempty\\"" }';

/** The body of POST /api/v2/alerts. Throws {@link RequestProblem}. */
export async function readPostedAlerts(body: Buffer): Promise<readonly IncomingAlert[]> {
  const alerts = await parseJsonArray("alerts", "models.PostableAlerts", body);
  if (alerts === undefined) throw RequestProblem.missing("alerts in body");
  const read: IncomingAlert[] = [];
  for (const [i, alert] of (alerts ?? []).entries()) {
    if (i > 0 && i % ALERTS_PER_TURN === 0) await nextTurn();
    read.push(readAlert(alert, i));
  }
  return read;
}

function readAlert(alert: unknown, i: number): IncomingAlert {
  if (typeof alert !== "object" || alert === null || Array.isArray(alert)) {
    throw RequestProblem.unreadable(
      "alerts",
      `json: cannot unmarshal ${jsonKind(alert)} into Go value of type ${ALERT_TYPE}`,
    );
  }
  const { labels, annotations, startsAt, endsAt, generatorURL } = alert as Record<string, unknown>;
  const of = (field: string) => ({ what: "alerts", field });
  const read = {
    labels: readLabels(labels, of("Alert.labels")),
    annotations: readLabels(annotations, of(".annotations")),
    startsAtMs: readTime(startsAt, of(".startsAt")),
    endsAtMs: readTime(endsAt, of(".endsAt")),
    generatorUrl: readText(generatorURL, of("Alert.generatorURL")) ?? "",
  };
  if (labels === undefined || labels === null) throw RequestProblem.missing(`${i}.labels in body`);
  if (read.generatorUrl !== "" && !isUri(read.generatorUrl)) {
    throw RequestProblem.wrongFormat(`${i}.generatorURL in body`, "uri", read.generatorUrl);
  }
  return read;
}

/** What Go's url.ParseRequestURI takes. */
function isUri(text: string): boolean {
  if (/\p{Cc}/u.test(text)) return false;
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.exec(text)?.[0];
  if (scheme === undefined && !text.startsWith("/")) return false;
  const [path = ""] = text.slice(scheme?.length ?? 0).split(/[?#]/, 1);
  if (/%(?![0-9a-fA-F]{2})/.test(path)) return false;
  const host = /^\/\/(?:[^/@]*@)?([^/]*)/.exec(path)?.[1] ?? "";
  return host.startsWith("[") ? /^\[[^\]]*\](?::\d*)?$/.test(host) : /^[^\s<>"[\]]*$/.test(host);
}
