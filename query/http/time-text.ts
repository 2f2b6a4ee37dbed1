/** Integral milliseconds as the seconds of Prometheus' JSON (util/jsonutil.MarshalTimestamp). */
export function timeText(timeMs: number): string {
  const sign = timeMs < 0 ? "-" : "";
  const absolute = Math.abs(timeMs);
  const fraction = absolute % 1_000;
  const whole = (absolute - fraction) / 1_000;
  return fraction === 0 ? `${sign}${whole}` : `${sign}${whole}.${String(fraction).padStart(3, "0")}`;
}
