/** How near the process is to its memory limit, and so what is done about it; each includes those before. */
export type Pressure = (typeof PRESSURES)[number];
const PRESSURES = ["none", "flush", "shrink", "refuse-writes", "refuse-all"] as const;

/** The share of the limit from which on each holds. */
const FROM: readonly number[] = [0, 0.52, 0.62, 0.7, 0.88];
/** A level ends so far below where it began, so that it does not come and go with every collection of garbage. */
const HYSTERESIS = 0.04;

/** `used` is a share of the limit. */
export function pressureAt(used: number, before: Pressure): Pressure {
  const held = severity(before);
  let level = PRESSURES.length - 1;
  while (level > 0 && used < (FROM[level] as number) - (level <= held ? HYSTERESIS : 0)) level--;
  return PRESSURES[level] as Pressure;
}

/** 0 for none, rising. */
export function severity(pressure: Pressure): number {
  return PRESSURES.indexOf(pressure);
}
