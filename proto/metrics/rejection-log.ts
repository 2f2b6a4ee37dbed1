import type { Rejection, RejectionReason } from "@sightline/model/ports.ts";

/** Names in messages are the sender's, and may be of any length. */
const MAX_MESSAGE = 500;

/** Why a row or a whole series is refused. */
export class Fault {
  readonly reason: RejectionReason;
  /** Groups equal faults: each kind is told once per request, with the message of the first, and counted. */
  readonly kind: string;
  readonly message: string;

  constructor(reason: RejectionReason, kind: string, message: string) {
    this.reason = reason;
    this.kind = kind;
    this.message = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message;
  }
}

export function invalid(kind: string, message: string): Fault {
  return new Fault("invalid", kind, message);
}

/** What {@link SeriesInterner.intern} says by -1. */
export function tooManySeries(): Fault {
  return new Fault(
    "limit",
    "series",
    "the request brings more new series than may be held in memory: send fewer or raise limits.max_series_interned",
  );
}

/** Gathers refused rows of a request into a few {@link Rejection}s. */
export class RejectionLog {
  readonly #byKind = new Map<string, { reason: RejectionReason; count: number; message: string }>();

  /** A count of 0, for a faulty series that has nothing in it, is no rejection. */
  add(fault: Fault, count: number): void {
    if (count === 0) return;
    const known = this.#byKind.get(fault.kind);
    if (known) known.count += count;
    else this.#byKind.set(fault.kind, { reason: fault.reason, count, message: fault.message });
  }

  finish(): Rejection[] {
    return [...this.#byKind.values()];
  }
}
