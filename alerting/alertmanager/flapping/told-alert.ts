import type { KnownAlert } from "../alerts/known-alert.ts";
import type { NotificationEntry } from "../notification-log/notify-decision.ts";
import { formatGoDuration } from "../timing/duration.ts";
import type { Flapping } from "./flap-record.ts";

/** Until when an alert flaps if it does not change any more. */
export type FlapStatus = Flapping & {
  readonly lastChangeMs: number;
  /** Its state is told again then, unless it changes once more. */
  readonly calmAtMs: number;
};

/** An alert as receivers are told of it. */
export type ToldAlert = KnownAlert & { readonly flapping?: FlapStatus };

/** The annotation that says so in notifications. */
export const FLAPPING_ANNOTATION = "flapping";
const SUFFIX = " flapping";

/**
 * How the log of notifications calls what was told of an alert. One that flaps is something else than one that fires: that it
 * does is news once, and so is its state when it is calm.
 */
export function memberOf({ fingerprint, flapping }: ToldAlert): string {
  return flapping ? `${fingerprint}${SUFFIX}` : fingerprint;
}

/** The alert that a member of the log means when it says that it flaps. */
export function flappingMember(member: string): string | undefined {
  return member.endsWith(SUFFIX) ? member.slice(0, -SUFFIX.length) : undefined;
}

/** While it flaps an alert fires, whatever its state is at the moment. */
export function toldAsFlapping(alert: KnownAlert, flapping: FlapStatus, calmMs: number): ToldAlert {
  const annotations: Record<string, string> = Object.create(null);
  Object.assign(annotations, alert.annotations, { [FLAPPING_ANNOTATION]: flappingText(flapping, calmMs) });
  return { ...alert, annotations, endsAtMs: Math.max(alert.endsAtMs, flapping.calmAtMs), flapping };
}

function flappingText({ changes, sinceMs }: Flapping, calmMs: number): string {
  const since = new Date(sinceMs).toISOString();
  const then = `its changes are not told until it is calm (unchanged for ${formatGoDuration(calmMs)}, at most)`;
  return `changed ${changes} times between firing and resolved since ${since}; ${then}`;
}

/** Of the time until it is calm: by so much replicas may differ, and notifications take less. */
const EARLY = 0.25;

/**
 * A replica has told its state lately: it knows that it is calm, some seconds before this one does. Then this one has nothing
 * to add.
 */
export function isToldCalm(
  { fingerprint }: KnownAlert,
  { lastChangeMs, calmAtMs }: FlapStatus,
  last: NotificationEntry | undefined,
): boolean {
  if (last === undefined || last.timeMs < calmAtMs - EARLY * (calmAtMs - lastChangeMs)) return false;
  return last.firing.includes(fingerprint) || last.resolved.includes(fingerprint);
}
