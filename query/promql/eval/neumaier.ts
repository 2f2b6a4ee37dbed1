/**
 * Compensated summation as Prometheus' util/kahansum does it: Kahan's with Neumaier's improvement, and no compensation
 * once the sum overflows. Callers that need speed write {@link compensation} out.
 */
export class NeumaierSum {
  sum = 0;
  compensation = 0;

  add(value: number): void {
    const total = this.sum + value;
    this.compensation = compensated(this.compensation, this.sum, value, total);
    this.sum = total;
  }

  total(): number {
    return this.sum + this.compensation;
  }
}

/** The new compensation after `sum + value` was rounded to `total`. */
export function compensated(compensation: number, sum: number, value: number, total: number): number {
  if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) return 0;
  return Math.abs(sum) >= Math.abs(value) ? compensation + (sum - total + value) : compensation + (value - total + sum);
}
