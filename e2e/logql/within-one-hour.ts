const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** The latest whole minute up to `latestMs` from which `lengthMs` of records are within one hour, at which Loki splits queries. */
export function withinOneHour(latestMs: number, lengthMs: number): number {
  const nextHourMs = Math.ceil(latestMs / HOUR_MS) * HOUR_MS;
  const startMs = latestMs + lengthMs > nextHourMs ? nextHourMs - lengthMs - MINUTE_MS : latestMs;
  return Math.floor(startMs / MINUTE_MS) * MINUTE_MS;
}
