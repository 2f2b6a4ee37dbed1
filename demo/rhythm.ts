const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Thursday 1970-01-01 was day 0. */
const SATURDAY = 2;
const SUNDAY = 3;

/**
 * How busy the shop is at a time (UTC), as a factor of its mean rate: few customers at four in the morning, most of them at
 * six in the evening with a smaller peak at lunch, less on weekends. About 1 over a working day.
 */
export function busyness(timeMs: number): number {
  const hour = (((timeMs % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS;
  const evening = bell(hour, 18, 4);
  const lunch = bell(hour, 12.5, 2);
  const weekday = Math.floor(timeMs / DAY_MS) % 7;
  const weekend = weekday === SATURDAY || weekday === SUNDAY ? 0.7 : 1;
  return weekend * (0.25 + 1.35 * evening + 0.6 * lunch);
}

/** 1 at `center`, falling off over `width` hours, around the clock. */
function bell(hour: number, center: number, width: number): number {
  const distance = Math.abs(hour - center);
  const around = Math.min(distance, 24 - distance);
  return Math.exp(-0.5 * (around / width) ** 2);
}
