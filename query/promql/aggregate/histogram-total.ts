import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { HistogramAccumulator } from "../histogram/histogram-accumulator.ts";

/** A sum of at least one histogram. `add` throws {@link IncompatibleSchemasError}. */
export class HistogramTotal {
  boundsReconciled = false;
  #sum: HistogramAccumulator | undefined;
  #sawReset = false;
  #sawNoReset = false;

  add(histogram: NativeHistogram): void {
    if (histogram.counterResetHint === 1) this.#sawReset = true;
    if (histogram.counterResetHint === 2) this.#sawNoReset = true;
    if (!this.#sum) this.#sum = new HistogramAccumulator(histogram);
    else if (this.#sum.add(histogram).boundsReconciled) this.boundsReconciled = true;
  }

  get hasResetCollision(): boolean {
    return this.#sawReset && this.#sawNoReset;
  }

  result(): NativeHistogram {
    return (this.#sum as HistogramAccumulator).toHistogram();
  }
}

/** The mean of at least one histogram: of their sum, or, once that would overflow, kept as a mean from there on. */
export class HistogramMean {
  boundsReconciled = false;
  #count = 0;
  #value: HistogramAccumulator | undefined;
  #incremental = false;
  #sawReset = false;
  #sawNoReset = false;

  add(histogram: NativeHistogram): void {
    if (histogram.counterResetHint === 1) this.#sawReset = true;
    if (histogram.counterResetHint === 2) this.#sawNoReset = true;
    this.#count++;
    if (!this.#value) {
      this.#value = new HistogramAccumulator(histogram);
      return;
    }
    if (!this.#incremental) {
      const before = this.#value.snapshot();
      if (this.#value.add(histogram).boundsReconciled) this.boundsReconciled = true;
      if (!this.#value.hasOverflow()) return;
      this.#incremental = true;
      before.divide(this.#count - 1);
      this.#value = before;
    }
    this.#value.scale((this.#count - 1) / this.#count);
    const share = new HistogramAccumulator(histogram);
    share.divide(this.#count);
    if (this.#value.add(share.toHistogram()).boundsReconciled) this.boundsReconciled = true;
  }

  get hasResetCollision(): boolean {
    return this.#sawReset && this.#sawNoReset;
  }

  result(): NativeHistogram {
    const value = (this.#value as HistogramAccumulator).snapshot();
    if (!this.#incremental) value.divide(this.#count);
    return value.toHistogram();
  }
}
