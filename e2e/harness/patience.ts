const FACTOR = Number(process.env.SIGHTLINE_E2E_PATIENCE ?? "3");

/**
 * How long to wait for what takes `quietMs` at most on a machine that does nothing else: so many times as long as
 * SIGHTLINE_E2E_PATIENCE says. What such bounds guard against takes minutes, or never ends.
 */
export function patientMs(quietMs: number): number {
  return quietMs * FACTOR;
}
