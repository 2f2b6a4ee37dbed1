import type { ByteWriter } from "./byte-writer.ts";
import { HEADERS, INT_PLANES } from "./page-streams.ts";

/** Integers that can be coded have at most this magnitude: differences of differences of them are exact doubles. */
export const MAX_CODED_INT = 2 ** 49;

/**
 * A run of integers (held in doubles) as its first value and residuals, one residual a value from the second on.
 * Order 1: what the difference to the value before is beyond `step`, the median difference. Order 2: the difference of
 * the difference. Whichever is smaller. Residuals are zigzag coded, and byte k of each goes to plane k of the page.
 *
 * In the header stream: one byte of order and width (planes used), first, step; nothing else for a run that is a line.
 */
export class IntEncoder {
  #residuals = new Float64Array(1024);
  readonly #probe = new Float64Array(33);

  encode(ints: Float64Array, length: number, streams: readonly ByteWriter[]): void {
    const header = streams[HEADERS] as ByteWriter;
    if (this.#residuals.length < length) this.#residuals = new Float64Array(length * 2);
    const median = this.#medianStep(ints, length);
    const firstStep = length > 1 ? (ints[1] as number) - (ints[0] as number) : 0;
    const order = costOfOrder1(ints, length, median) <= costOfOrder2(ints, length) ? 1 : 2;
    const step = order === 1 ? median : firstStep;
    const max = order === 1 ? this.#order1(ints, length, step) : this.#order2(ints, length, step);
    let width = 0;
    for (let rest = max; rest >= 1; rest /= 256) width++;
    header.u8(width | (order === 2 ? 0x10 : 0));
    header.zigzag(length > 0 ? (ints[0] as number) : 0);
    header.zigzag(step);
    for (let plane = 0; plane < width; plane++)
      this.#writePlane(streams[INT_PLANES + plane] as ByteWriter, plane, length - 1);
  }

  #medianStep(ints: Float64Array, length: number): number {
    const steps = length - 1;
    if (steps < 1) return 0;
    const count = Math.min(steps, this.#probe.length);
    for (let i = 0; i < count; i++) {
      const at = 1 + Math.floor((i * steps) / count);
      this.#probe[i] = (ints[at] as number) - (ints[at - 1] as number);
    }
    return this.#probe.subarray(0, count).sort()[count >> 1] as number;
  }

  #order1(ints: Float64Array, length: number, step: number): number {
    const residuals = this.#residuals;
    let max = 0;
    for (let i = 1; i < length; i++) {
      const residual = (ints[i] as number) - (ints[i - 1] as number) - step;
      const coded = residual < 0 ? -2 * residual - 1 : 2 * residual;
      residuals[i - 1] = coded;
      if (coded > max) max = coded;
    }
    return max;
  }

  #order2(ints: Float64Array, length: number, firstStep: number): number {
    const residuals = this.#residuals;
    let before = firstStep;
    let max = 0;
    for (let i = 1; i < length; i++) {
      const step = (ints[i] as number) - (ints[i - 1] as number);
      const residual = step - before;
      before = step;
      const coded = residual < 0 ? -2 * residual - 1 : 2 * residual;
      residuals[i - 1] = coded;
      if (coded > max) max = coded;
    }
    return max;
  }

  #writePlane(out: ByteWriter, plane: number, count: number): void {
    const at = out.extend(count);
    const target = out.target;
    const residuals = this.#residuals;
    if (plane < 4) {
      const shift = 8 * plane;
      // ToInt32 is modulo 2^32, so the low four bytes are right for any residual below 2^53.
      for (let i = 0; i < count; i++) target[at + i] = (residuals[i] as number) >>> shift;
      return;
    }
    const factor = 256 ** plane;
    for (let i = 0; i < count; i++) target[at + i] = Math.floor((residuals[i] as number) / factor);
  }
}

/** About how many bits the residuals need; the longest of runs is judged by a part. */
function costOfOrder1(ints: Float64Array, length: number, step: number): number {
  let cost = 0;
  for (let i = 2; i < length && i < COST_PROBE; i++) cost += bits((ints[i] as number) - (ints[i - 1] as number) - step);
  return cost;
}

function costOfOrder2(ints: Float64Array, length: number): number {
  let cost = 0;
  for (let i = 2; i < length && i < COST_PROBE; i++) {
    cost += bits((ints[i] as number) - 2 * (ints[i - 1] as number) + (ints[i - 2] as number));
  }
  return cost;
}
const COST_PROBE = 128;

function bits(residual: number): number {
  const magnitude = Math.abs(residual);
  return magnitude < 2 ** 31 ? 32 - Math.clz32(magnitude) : 32;
}
