/** A time as go-openapi writes it: RFC 3339 with milliseconds. */
export function formatDateTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?(?:[Zz]|([+-])(\d{2}):?(\d{2}))?)?$/;
/** Go's zero time, which clients send when they know none. */
const ZERO_MS = -62_135_596_800_000;

/**
 * A time as go-openapi reads it, in milliseconds, rounded down; undefined for none (absent, empty, or Go's zero time). null:
 * it is none.
 */
export function parseDateTime(value: unknown): number | undefined | null {
  if (value === undefined || value === null || value === "") return undefined;
  const match = typeof value === "string" ? DATE_TIME.exec(value) : null;
  if (!match) return null;
  const [year, month, day, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const date = new Date(0);
  date.setUTCFullYear(year as number, (month as number) - 1, day as number);
  date.setUTCHours(hour, minute, second, Math.floor(Number(match[7] ?? 0) * 1_000));
  if (date.getUTCMonth() !== (month as number) - 1 || date.getUTCDate() !== day) return null;
  const offsetMs = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * 60_000;
  const timeMs = date.getTime() - (match[8] === "-" ? -offsetMs : offsetMs);
  return timeMs <= ZERO_MS ? undefined : timeMs;
}
