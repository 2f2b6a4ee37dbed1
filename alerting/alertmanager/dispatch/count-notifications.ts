import type { LabelMap } from "../../alert.ts";
import { groupLabelsOf, matchRoutes, type Route } from "./route.ts";

/** An alert that fired for a while; without an end it goes on. */
export type FiringAlert = { readonly labels: LabelMap; readonly startMs: number; readonly endMs: number | undefined };
export type NotificationCount = {
  readonly receiver: string;
  /** `{}/{severity="page"}` */
  readonly route: string;
  readonly groups: number;
  /** That something fires, and that it has ended. */
  readonly notifications: number;
};

/**
 * How many notifications a routing tree would have made of alerts up to `untilMs`: by its waits, intervals and repetitions,
 * without silences, inhibition and time intervals, and with receivers that tell of ends.
 */
export function countNotifications(
  tree: Route,
  alerts: readonly FiringAlert[],
  untilMs: number,
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
    const before = counts.get(route.id) ?? { receiver: route.receiver, route: route.key, groups: 0, notifications: 0 };
    const notifications = before.notifications + ofGroup(route, members, untilMs);
    counts.set(route.id, { ...before, groups: before.groups + 1, notifications });
  }
  return [...counts.values()];
}

/** A group is looked at after its wait, then at every interval until nothing of it is left. */
function ofGroup(route: Route, alerts: readonly FiringAlert[], untilMs: number): number {
  const waiting = [...alerts].sort((a, b) => a.startMs - b.startMs);
  let count = 0;
  while (waiting.length > 0) {
    let atMs = (waiting[0] as FiringAlert).startMs + route.groupWaitMs;
    let told = new Set<FiringAlert>();
    let toldAtMs = Number.NEGATIVE_INFINITY;
    for (; atMs <= untilMs; atMs += route.groupIntervalMs) {
      const firing = waiting.filter(({ startMs, endMs }) => startMs <= atMs && (endMs ?? untilMs + 1) > atMs);
      const isNews = firing.some((alert) => !told.has(alert)) || [...told].some((alert) => !firing.includes(alert));
      if (isNews || (firing.length > 0 && atMs - toldAtMs >= route.repeatIntervalMs)) {
        count++;
        toldAtMs = atMs;
      }
      told = new Set(firing);
      const isOver = (alert: FiringAlert) => (alert.endMs ?? untilMs + 1) <= atMs;
      for (let i = waiting.length - 1; i >= 0; i--) if (isOver(waiting[i] as FiringAlert)) waiting.splice(i, 1);
      if (firing.length === 0) break;
    }
    if (atMs > untilMs) break;
  }
  return count;
}
