import type { Rejection, RejectionReason } from "./ports.ts";

/** Collects the refused rows of one request: counts by reason, and a message for the first of each. */
export class Rejections {
  readonly #byReason = new Map<RejectionReason, { count: number; readonly message: string }>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** `message` is asked only for the first row of a reason. */
  add(reason: RejectionReason, message: () => string): void {
    this.#count++;
    const entry = this.#byReason.get(reason);
    if (entry) entry.count++;
    else this.#byReason.set(reason, { count: 1, message: message() });
  }

  list(): readonly Rejection[] {
    return Array.from(this.#byReason, ([reason, { count, message }]) => ({ reason, count, message }));
  }
}
