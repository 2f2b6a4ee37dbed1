const NS_PER_SECOND = 1_000_000_000n;

/** `2026-01-02T15:04:05.000000001Z`, nine digits always; as a number of ns when it is out of what a date can say. */
export function rfc3339Ns(timeNs: bigint): string {
  const fraction = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const milliseconds = Number((timeNs - fraction) / 1_000_000n);
  if (Math.abs(milliseconds) > 8.64e15) return String(timeNs);
  return `${new Date(milliseconds).toISOString().slice(0, -4)}${String(fraction).padStart(9, "0")}Z`;
}
