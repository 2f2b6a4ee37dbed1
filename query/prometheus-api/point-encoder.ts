import { timeText } from "../http/time-text.ts";
import { MAX_VALUE_BYTES, writeValue } from "./value-bytes.ts";

/** Points that one call encodes at most: about a tenth of a millisecond of work. */
const MAX_POINTS = 1_000;
const MAX_TIME_BYTES = 24;
const TIME_SLOTS = 1 << 14;
const QUOTE = 34;
const COMMA = 44;
const CLOSE = 93;

/**
 * Encodes the points of range results, `[1700000000,"1.5"]`. The series of an answer share their timestamps, so these are
 * made once: they are kept in a table whose slot follows from the second, where the newest wins.
 */
export class PointEncoder {
  readonly #times = new Float64Array(TIME_SLOTS).fill(Number.NaN);
  readonly #openings: Uint8Array[] = new Array(TIME_SLOTS);
  readonly #scratch = Buffer.allocUnsafe(MAX_POINTS * (MAX_TIME_BYTES + MAX_VALUE_BYTES + 4));

  /** All points, comma-separated, in pieces that belong to the caller. */
  *encode(timesMs: Float64Array, values: Float64Array): Generator<Uint8Array> {
    for (let from = 0; from < timesMs.length; from += MAX_POINTS) {
      yield this.#piece(timesMs, values, from, Math.min(from + MAX_POINTS, timesMs.length));
    }
  }

  #piece(timesMs: Float64Array, values: Float64Array, from: number, to: number): Uint8Array {
    const scratch = this.#scratch;
    let at = 0;
    for (let i = from; i < to; i++) {
      if (i > 0) scratch[at++] = COMMA;
      const opening = this.#opening(timesMs[i] as number);
      for (let k = 0; k < opening.length; k++) scratch[at++] = opening[k] as number;
      at = writeValue(scratch, at, values[i] as number);
      scratch[at++] = QUOTE;
      scratch[at++] = CLOSE;
    }
    return Buffer.from(scratch.subarray(0, at));
  }

  /** A point up to its value: `[1700000000,"`. */
  #opening(timeMs: number): Uint8Array {
    const slot = (timeMs / 1_000) & (TIME_SLOTS - 1);
    if (this.#times[slot] === timeMs) return this.#openings[slot] as Uint8Array;
    const opening = Buffer.from(`[${timeText(timeMs)},"`);
    this.#times[slot] = timeMs;
    this.#openings[slot] = opening;
    return opening;
  }
}
