import { statusOf } from "@sightline/model/errors.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";

export type TailPoll = {
  /** Whether all that comes in now is handed over anyway. */
  readonly isFed: () => boolean;
  /** When the store was asked last. */
  readonly sinceMs: number;
  /** Nothing from before is looked for. */
  readonly floorNs: bigint;
  /** Asks the store for the newest lines in the range and shows those that were not shown. */
  readonly look: (range: TimeRangeNs) => Promise<void>;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
};

const POLL_MS = 1_000;
/** A line is found when it is in the store no later than so long after its time. */
const LATE_MS = 20_000;
/** Clocks of senders may be ahead. */
const AHEAD_MS = 60_000;

/**
 * Looks into the store each second for what nobody hands over. What could not be asked for, because the store was away, is asked for
 * when it is back. Rejects when the signal aborts, and with what `look` rejects with unless that is for the moment only.
 */
export async function pollTail({ isFed, sinceMs, floorNs, look, nowMs, signal }: TailPoll): Promise<never> {
  let lookedMs = sinceMs;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS).unref());
    signal.throwIfAborted();
    const beganMs = nowMs();
    const late = ns(lookedMs - LATE_MS);
    const range = { startNs: late > floorNs ? late : floorNs, endNs: ns(beganMs + AHEAD_MS) };
    try {
      if (!isFed()) await look(range);
      lookedMs = beganMs;
    } catch (error) {
      if (statusOf(error).retryAfterMs === undefined) throw error;
    }
  }
}

function ns(ms: number): bigint {
  return BigInt(ms) * 1_000_000n;
}
