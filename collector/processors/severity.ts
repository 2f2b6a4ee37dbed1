/** Names of OpenTelemetry's severity ranges (logs data model, "SeverityNumber"). */
export const SEVERITIES = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** The lowest number of a range; each has four. */
export function severityNumber(severity: Severity): number {
  return 1 + 4 * SEVERITIES.indexOf(severity);
}

/** undefined for 0, which is a record that does not say. */
export function severityOf(number: number): Severity | undefined {
  return number === 0 ? undefined : SEVERITIES[Math.min(5, (number - 1) >> 2)];
}
