import type { Alertmanager } from "../alertmanager.ts";
import type { KnownAlert } from "../alerts/known-alert.ts";
import { shownFlapping } from "../flapping/shown-flapping.ts";
import type { FlapStatus } from "../flapping/told-alert.ts";
import { sortedNames } from "../labels.ts";
import { formatDateTime } from "./date-time.ts";

/** What holds an alert back now. */
export type AlertStatus = {
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
  /** Absent: it does not flap. */
  readonly flapping?: FlapStatus | undefined;
};

/** As it is at this moment, whatever has been notified. */
export function alertStatus(
  alertmanager: Pick<Alertmanager, "silences" | "inhibitor" | "flaps">,
  { fingerprint, labels }: KnownAlert,
  nowMs: number,
): AlertStatus {
  const inhibition = alertmanager.inhibitor.inhibitionOf(labels, nowMs);
  return {
    silencedBy: alertmanager.silences.silencesOf(fingerprint, labels, nowMs),
    inhibitedBy: inhibition ? [inhibition.by.fingerprint] : [],
    flapping: alertmanager.flaps?.flappingOf(fingerprint, nowMs),
  };
}

export function isSuppressed({ silencedBy, inhibitedBy, flapping }: AlertStatus): boolean {
  return silencedBy.length + inhibitedBy.length > 0 || flapping !== undefined;
}

/** openapi.yaml: gettableAlert. `mutedBy`: names of time intervals. `status.flapping` is ours. */
export function gettableAlert(
  alert: KnownAlert,
  status: AlertStatus,
  receivers: readonly string[],
  mutedBy: readonly string[],
): unknown {
  return {
    annotations: alert.annotations,
    endsAt: formatDateTime(alert.endsAtMs),
    fingerprint: alert.fingerprint,
    receivers: receivers.map((name) => ({ name })),
    startsAt: formatDateTime(alert.startsAtMs),
    status: {
      ...(status.flapping && { flapping: shownFlapping(status.flapping) }),
      inhibitedBy: status.inhibitedBy,
      mutedBy,
      silencedBy: status.silencedBy,
      state: isSuppressed(status) || mutedBy.length > 0 ? "suppressed" : "active",
    },
    updatedAt: formatDateTime(alert.updatedAtMs),
    ...(alert.generatorUrl !== "" && { generatorURL: alert.generatorUrl }),
    labels: sortedLabels(alert),
  };
}

function sortedLabels({ labels }: KnownAlert): unknown {
  return Object.fromEntries(sortedNames(labels).map((name) => [name, labels[name]]));
}
