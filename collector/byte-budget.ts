import { TooManyRequestsError } from "@sightline/model/errors.ts";
import type { MemoryGate } from "@sightline/model/memory-part.ts";

const RETRY_AFTER_MS = 1_000;

/** Memory that requests take from their first byte until they are answered: the bodies, and what is made of them. */
export class ByteBudget {
  readonly #maxBytes: number;
  readonly #memory: MemoryGate | undefined;
  #usedBytes = 0;

  /** `memory` is asked, too, whenever more is taken. */
  constructor(maxBytes: number, memory?: MemoryGate) {
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Throws `TooManyRequestsError` when there is no room; whatever was reserved has to be released once. */
  reserve(bytes: number): void {
    this.#take(bytes, this.#usedBytes + bytes <= this.#maxBytes);
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  /** The same for what grows. */
  place(): BudgetPlace {
    let held = 0;
    const grow = (bytes: number) => {
      // Alone it may be larger than the budget, so that no request is too large ever to be taken.
      const isAlone = held > 0 && this.#usedBytes === held;
      this.#take(bytes, isAlone || this.#usedBytes + bytes <= this.#maxBytes);
      held += bytes;
    };
    const release = () => {
      this.release(held);
      held = 0;
    };
    return { grow, release };
  }

  #take(bytes: number, hasRoom: boolean): void {
    if (!hasRoom) {
      throw new TooManyRequestsError(
        `the server holds as many request bytes as collector.limits.max_in_flight_bytes (${this.#maxBytes}) allows: ` +
          "send again later, or raise it",
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    this.#memory?.admit(bytes);
    this.#usedBytes += bytes;
  }
}

/** Of one request in a {@link ByteBudget}. */
export type BudgetPlace = {
  /** Throws `TooManyRequestsError` when there is no room for so many bytes more. */
  readonly grow: (bytes: number) => void;
  /** Gives back all of it. May be called again. */
  readonly release: () => void;
};
