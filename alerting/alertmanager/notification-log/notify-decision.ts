import type { NotificationReason } from "../../notify/notifier.ts";

/** What one integration was last told of a group. Members are fingerprints. */
export type NotificationEntry = {
  readonly groupKey: string;
  readonly receiver: string;
  /** `webhook[0]` */
  readonly integration: string;
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly timeMs: number;
  readonly expiresAtMs: number;
  /** What the integration keeps: which message it updates. */
  readonly memory?: Readonly<Record<string, string>> | undefined;
};

export type GroupState = { readonly firing: ReadonlySet<string>; readonly resolved: ReadonlySet<string> };
/** Why nothing is sent. */
export type SilentReason = "nothing to tell: it was never announced" | "nothing new before the repeat interval ends";
export type NotifyDecision =
  | { readonly notify: true; readonly reason: NotificationReason }
  | { readonly notify: false; readonly reason: SilentReason };

/** Whether an integration has to be told something (notify.DedupStage.needsUpdate). */
export function decideNotification(
  last: NotificationEntry | undefined,
  now: GroupState,
  options: { readonly sendsResolved: boolean; readonly repeatIntervalMs: number; readonly nowMs: number },
): NotifyDecision {
  const notify = (reason: NotificationReason): NotifyDecision => ({ notify: true, reason });
  const neverAnnounced: NotifyDecision = { notify: false, reason: "nothing to tell: it was never announced" };
  if (!last) return now.firing.size > 0 ? notify("first notification") : neverAnnounced;
  if (!contains(last.firing, now.firing)) {
    // After an end, a beginning is the first again.
    return notify(last.firing.length === 0 ? "first notification" : "new alerts added");
  }
  // Also for those that want no word of ends, so that a new beginning is one.
  if (now.firing.size === 0) return last.firing.length > 0 ? notify("all alerts resolved") : neverAnnounced;
  if (options.sendsResolved && !contains(last.resolved, now.resolved)) return notify("some alerts resolved");
  if (last.timeMs < options.nowMs - options.repeatIntervalMs) return notify("repeat interval elapsed");
  return { notify: false, reason: "nothing new before the repeat interval ends" };
}

function contains(known: readonly string[], members: ReadonlySet<string>): boolean {
  if (members.size > known.length) return false;
  const set = new Set(known);
  for (const member of members) if (!set.has(member)) return false;
  return true;
}
