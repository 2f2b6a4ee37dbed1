import type { FlapStatus } from "./told-alert.ts";

/** As APIs show it: how often it changed since when, and when it is calm if it does not change again. */
export type ShownFlapping = {
  readonly since: string;
  readonly changes: number;
  readonly lastChangeAt: string;
  readonly calmAt: string;
};

export function shownFlapping({ sinceMs, changes, lastChangeMs, calmAtMs }: FlapStatus): ShownFlapping {
  const [since, lastChangeAt, calmAt] = [sinceMs, lastChangeMs, calmAtMs].map((ms) => new Date(ms).toISOString());
  return { since, changes, lastChangeAt, calmAt } as ShownFlapping;
}
