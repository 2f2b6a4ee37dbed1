const SLOTS = 1 << 14;

/**
 * Timestamps in milliseconds as the seconds of Prometheus' JSON (util/jsonutil.MarshalTimestamp). The series of a range
 * query share their timestamps, so the texts are kept: a table whose slot follows from the second, the newest wins.
 */
export class TimeTexts {
  readonly #keys = new Float64Array(SLOTS).fill(Number.NaN);
  readonly #texts: string[] = new Array(SLOTS).fill("");

  text(timeMs: number): string {
    const slot = (timeMs / 1_000) & (SLOTS - 1);
    if (this.#keys[slot] === timeMs) return this.#texts[slot] as string;
    const text = timeText(timeMs);
    this.#keys[slot] = timeMs;
    this.#texts[slot] = text;
    return text;
  }
}

/** `timeMs` is integral. */
export function timeText(timeMs: number): string {
  const sign = timeMs < 0 ? "-" : "";
  const absolute = Math.abs(timeMs);
  const fraction = absolute % 1_000;
  const whole = (absolute - fraction) / 1_000;
  return fraction === 0 ? `${sign}${whole}` : `${sign}${whole}.${String(fraction).padStart(3, "0")}`;
}
