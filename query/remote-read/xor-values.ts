import type { BitWriter } from "./bit-writer.ts";

const UNSET = 0xff;
const MAX_LEADING = 31;

/** Doubles, each as what differs from the one before (xorWrite in Prometheus' tsdb/chunkenc/xor.go). */
export class XorValues {
  #low = 0;
  #high = 0;
  #leading = UNSET;
  #trailing = 0;

  /** The first double, in full. Words, because a number could not carry which NaN it is. */
  first(bits: BitWriter, low: number, high: number): void {
    this.#low = low;
    this.#high = high;
    bits.writeWords(low, high, 64);
  }

  next(bits: BitWriter, low: number, high: number): void {
    const deltaLow = (low ^ this.#low) >>> 0;
    const deltaHigh = (high ^ this.#high) >>> 0;
    this.#low = low;
    this.#high = high;
    if (deltaLow === 0 && deltaHigh === 0) {
      bits.write(0, 1);
      return;
    }
    const leading = Math.min(MAX_LEADING, deltaHigh === 0 ? 32 + Math.clz32(deltaLow) : Math.clz32(deltaHigh));
    const trailing = deltaLow === 0 ? 32 + trailingZeros(deltaHigh) : trailingZeros(deltaLow);
    if (this.#leading !== UNSET && leading >= this.#leading && trailing >= this.#trailing) {
      bits.write(0b10, 2);
    } else {
      this.#leading = leading;
      this.#trailing = trailing;
      bits.write(0b11, 2);
      bits.write(leading, 5);
      // 64 does not fit its six bits and is written as 0, which never occurs.
      bits.write((64 - leading - trailing) & 63, 6);
    }
    writeShifted(bits, deltaLow, deltaHigh, this.#trailing, 64 - this.#leading - this.#trailing);
  }
}

function writeShifted(bits: BitWriter, low: number, high: number, shift: number, count: number): void {
  if (shift === 0) bits.writeWords(low, high, count);
  else if (shift < 32) bits.writeWords((low >>> shift) | (high << (32 - shift)), high >>> shift, count);
  else bits.writeWords(high >>> (shift - 32), 0, count);
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}
