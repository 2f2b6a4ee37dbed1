const FIRST_MS = 500;
const FACTOR = 1.5;
const MAX_MS = 60_000;
const JITTER = 0.5;

/** How long to wait after the n-th attempt, from 1 on; `random` from 0 to 1 (cenkalti/backoff's defaults). */
export function backoffMs(attempt: number, random: number): number {
  const meanMs = Math.min(MAX_MS, FIRST_MS * FACTOR ** (attempt - 1));
  return meanMs * (1 - JITTER + 2 * JITTER * random);
}
