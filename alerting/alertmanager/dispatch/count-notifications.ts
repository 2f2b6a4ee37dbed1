import type { FiringAlert, HoldBack, HoldReason } from "./hold-back.ts";
import { groupLabelsOf, matchRoutes, type Route } from "./route.ts";

export type NotificationCount = {
  readonly receiver: string;
  /** `{}/{severity="page"}` */
  readonly route: string;
  readonly groups: number;
  /** That something fires, and that it has ended. */
  readonly notifications: number;
  /** Alerts that were held back at some time, by why. */
  readonly heldBack: Readonly<Record<HoldReason, number>>;
};

/**
 * How many notifications a routing tree would have made of alerts up to `untilMs`: by its waits, intervals and repetitions, and with
 * receivers that tell of ends. `holdBack`: absent, nothing held any back.
 */
export function countNotifications(
  tree: Route,
  alerts: readonly FiringAlert[],
  untilMs: number,
  holdBack: HoldBack = () => undefined,
): readonly NotificationCount[] {
  const groups = new Map<string, { readonly route: Route; readonly alerts: FiringAlert[] }>();
  for (const alert of alerts) {
    for (const route of matchRoutes(tree, alert.labels)) {
      const key = JSON.stringify([route.id, Object.entries(groupLabelsOf(route, alert.labels)).sort()]);
      const group = groups.get(key) ?? { route, alerts: [] };
      groups.set(key, group);
      group.alerts.push(alert);
    }
  }
  const counts = new Map<string, NotificationCount>();
  for (const { route, alerts: members } of groups.values()) {
    const { receiver, key, id } = route;
    const none = { inhibited: 0, muted: 0, silenced: 0 };
    const before = counts.get(id) ?? { receiver, route: key, groups: 0, notifications: 0, heldBack: none };
    const held = new Map<FiringAlert, HoldReason>();
    const reasonOf = (alert: FiringAlert, atMs: number) => {
      const reason = holdBack(alert, route, atMs);
      if (reason) held.set(alert, reason);
      return reason;
    };
    const notifications = before.notifications + ofGroup(route, members, untilMs, reasonOf);
    const heldBack = { ...before.heldBack };
    for (const reason of held.values()) heldBack[reason]++;
    counts.set(id, { ...before, groups: before.groups + 1, notifications, heldBack });
  }
  return [...counts.values()];
}

/**
 * A group is looked at after its wait, then at every interval until nothing of it is left. What is held back is left out then;
 * what was told before stays told, as in the notification log, and an end that is held back is never told.
 */
function ofGroup(
  route: Route,
  alerts: readonly FiringAlert[],
  untilMs: number,
  reasonOf: (alert: FiringAlert, atMs: number) => HoldReason | undefined,
): number {
  const waiting = [...alerts].sort((a, b) => a.startMs - b.startMs);
  const endOf = ({ endMs }: FiringAlert) => endMs ?? untilMs + 1;
  let count = 0;
  while (waiting.length > 0) {
    let atMs = (waiting[0] as FiringAlert).startMs + route.groupWaitMs;
    let told = new Set<FiringAlert>();
    let toldAtMs = Number.NEGATIVE_INFINITY;
    for (; atMs <= untilMs; atMs += route.groupIntervalMs) {
      const begun = waiting.filter(({ startMs }) => startMs <= atMs);
      const shown = begun.filter((alert) => (endOf(alert) > atMs || told.has(alert)) && !reasonOf(alert, atMs));
      const firing = shown.filter((alert) => endOf(alert) > atMs);
      const isNews = firing.some((alert) => !told.has(alert)) || shown.length > firing.length;
      if (isNews || (firing.length > 0 && atMs - toldAtMs >= route.repeatIntervalMs)) {
        count++;
        toldAtMs = atMs;
        told = new Set(firing);
      }
      for (let i = waiting.length - 1; i >= 0; i--) if (endOf(waiting[i] as FiringAlert) <= atMs) waiting.splice(i, 1);
      if (begun.every((alert) => endOf(alert) <= atMs)) break;
    }
    if (atMs > untilMs) break;
  }
  return count;
}
