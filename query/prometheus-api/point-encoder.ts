import { MAX_TIME_BYTES, MAX_VALUE_BYTES, writeTime, writeValue } from "./value-bytes.ts";

/** Points that one call encodes at most: about a tenth of a millisecond of work. */
const MAX_POINTS = 1_000;
const MAX_POINT_BYTES = MAX_TIME_BYTES + MAX_VALUE_BYTES + 6;
const QUOTE = 34;
const COMMA = 44;
const OPEN = 91;
const CLOSE = 93;

/** Encodes the points of range results, `[1700000000,"1.5"]`. */
export class PointEncoder {
  #scratch = Buffer.alloc(0);

  /** All points, comma-separated, in pieces that belong to the caller. */
  *encode(timesMs: Float64Array, values: Float64Array): Generator<Uint8Array> {
    for (let from = 0; from < timesMs.length; from += MAX_POINTS) {
      yield this.#piece(timesMs, values, from, Math.min(from + MAX_POINTS, timesMs.length));
    }
  }

  #piece(timesMs: Float64Array, values: Float64Array, from: number, to: number): Uint8Array {
    const maxBytes = (to - from) * MAX_POINT_BYTES;
    if (this.#scratch.length < maxBytes) this.#scratch = Buffer.allocUnsafe(maxBytes);
    const scratch = this.#scratch;
    let at = 0;
    for (let i = from; i < to; i++) {
      if (i > 0) scratch[at++] = COMMA;
      scratch[at++] = OPEN;
      at = writeTime(scratch, at, timesMs[i] as number);
      scratch[at++] = COMMA;
      scratch[at++] = QUOTE;
      at = writeValue(scratch, at, values[i] as number);
      scratch[at++] = QUOTE;
      scratch[at++] = CLOSE;
    }
    return Buffer.from(scratch.subarray(0, at));
  }
}
