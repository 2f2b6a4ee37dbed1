import type { Alert } from "../../alert.ts";
import { compareLabelMaps } from "../labels.ts";

/** An alert that was received, with the name of its label set. */
export type KnownAlert = Alert & { readonly fingerprint: string };

/**
 * One alert out of two with the same labels (alert.Merge): annotations of the one received last, the earliest start, and of
 * the ends the later one, unless it is a guess.
 */
export function mergeAlerts(a: KnownAlert, b: KnownAlert, nowMs: number): KnownAlert {
  const [older, younger] = b.updatedAtMs < a.updatedAtMs ? [b, a] : [a, b];
  const isOver = (alert: KnownAlert) => alert.endsAtMs <= nowMs;
  // Of two that are over the later end counts; of others the one that somebody has said.
  const keepsEnd = older.endsAtMs > younger.endsAtMs && (isOver(younger) ? isOver(older) : !older.isTimeout);
  return {
    ...younger,
    startsAtMs: Math.min(older.startsAtMs, younger.startsAtMs),
    endsAtMs: keepsEnd ? older.endsAtMs : younger.endsAtMs,
  };
}

/** They were firing at the same time: the younger tells more of the same. */
export function alertsOverlap(old: KnownAlert, next: KnownAlert): boolean {
  return (
    (next.endsAtMs > old.startsAtMs && next.endsAtMs < old.endsAtMs) ||
    (next.startsAtMs > old.startsAtMs && next.startsAtMs < old.endsAtMs)
  );
}

/** The order in notifications: by job and instance, then by all labels. */
export function compareAlerts(a: KnownAlert, b: KnownAlert): number {
  for (const name of ["job", "instance"]) {
    const [x, y] = [a.labels[name], b.labels[name]];
    if (x === y) continue;
    if (x === undefined) return 1;
    if (y === undefined) return -1;
    return x < y ? -1 : 1;
  }
  return compareLabelMaps(a.labels, b.labels);
}
