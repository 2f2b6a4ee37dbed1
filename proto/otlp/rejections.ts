import type { Rejection, RejectionReason } from "@sightline/model/ports.ts";

/** Counts refused rows by reason and keeps what was wrong with the first of each. */
export class Rejections {
  readonly #byReason = new Map<RejectionReason, { count: number; message: string }>();

  add(reason: RejectionReason, message: string): void {
    const known = this.#byReason.get(reason);
    if (known) known.count++;
    else this.#byReason.set(reason, { count: 1, message });
  }

  /** Whether `add` will use the message that it is given: spares making it up. */
  wantsMessage(reason: RejectionReason): boolean {
    return !this.#byReason.has(reason);
  }

  finish(): Rejection[] {
    return [...this.#byReason].map(([reason, { count, message }]) => ({ reason, count, message }));
  }
}
