import { quoteRegex } from "@sightline/model/regex.ts";
import { type Alert, isResolvedAt, type LabelMap } from "../alert.ts";
import { fingerprint } from "../alertmanager/fingerprint.ts";
import { sortedNames } from "../alertmanager/labels.ts";

export type AlertStatus = "firing" | "resolved";

/** One alert as templates and webhooks see it (template.Alert). */
export type AlertData = {
  readonly status: AlertStatus;
  readonly labels: LabelMap;
  readonly annotations: LabelMap;
  readonly startsAtMs: number;
  /** Undefined while it is firing: Go's zero time. */
  readonly endsAtMs: number | undefined;
  readonly generatorUrl: string;
  readonly fingerprint: string;
};

/** What notification templates and webhooks are given (template.Data). */
export type NotificationData = {
  /** With a backslash before what means something in regular expressions. */
  readonly receiver: string;
  readonly status: AlertStatus;
  readonly alerts: readonly AlertData[];
  readonly notificationReason: string;
  readonly groupLabels: LabelMap;
  readonly commonLabels: LabelMap;
  readonly commonAnnotations: LabelMap;
  readonly routeLabels: LabelMap;
  readonly externalUrl: string;
};

export type NotificationDataInput = {
  readonly receiver: string;
  readonly reason: string;
  readonly groupLabels: LabelMap;
  readonly routeLabels: LabelMap;
  readonly alerts: readonly Alert[];
  readonly nowMs: number;
  readonly externalUrl: string;
};

/** As Alertmanager's Template.Data puts it together. */
export function notificationData(input: NotificationDataInput): NotificationData {
  const alerts = input.alerts.map((alert) => alertData(alert, input.nowMs));
  return {
    receiver: quoteRegex(input.receiver),
    status: alerts.some(({ status }) => status === "firing") ? "firing" : "resolved",
    alerts,
    notificationReason: input.reason,
    groupLabels: input.groupLabels,
    commonLabels: common(input.alerts.map(({ labels }) => labels)),
    commonAnnotations: common(input.alerts.map(({ annotations }) => annotations)),
    routeLabels: input.routeLabels,
    externalUrl: input.externalUrl,
  };
}

function alertData(alert: Alert, nowMs: number): AlertData {
  const isResolved = isResolvedAt(alert, nowMs);
  return {
    status: isResolved ? "resolved" : "firing",
    labels: alert.labels,
    annotations: alert.annotations,
    startsAtMs: alert.startsAtMs,
    endsAtMs: isResolved ? alert.endsAtMs : undefined,
    generatorUrl: alert.generatorUrl,
    get fingerprint() {
      return fingerprint(alert.labels);
    },
  };
}

/** What all of them have. */
function common(maps: readonly LabelMap[]): LabelMap {
  const [first, ...others] = maps;
  if (!first) return {};
  const shared = Object.entries(first).filter(([name, value]) =>
    others.every((other) => Object.hasOwn(other, name) && other[name] === value),
  );
  return Object.fromEntries(shared);
}

/** `alertname` first, the others in order (KV.SortedPairs). */
export function sortedPairs(map: LabelMap): readonly (readonly [string, string])[] {
  const names = sortedNames(map);
  if (Object.hasOwn(map, "alertname")) {
    names.splice(names.indexOf("alertname"), 1);
    names.unshift("alertname");
  }
  return names.map((name) => [name, map[name] as string] as const);
}
