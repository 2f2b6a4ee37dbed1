import { TooManyRequestsError } from "@sightline/model/errors.ts";

const RETRY_AFTER_MS = 1_000;

/** Memory that request bodies take from their first byte until they are answered. */
export class ByteBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Throws `TooManyRequestsError` when there is no room; whatever was reserved has to be released once. */
  reserve(bytes: number): void {
    if (this.#usedBytes + bytes > this.#maxBytes) {
      throw new TooManyRequestsError(
        `the server holds as many request bytes as collector.limits.max_in_flight_bytes (${this.#maxBytes}) allows: ` +
          "send again later, or raise it",
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    this.#usedBytes += bytes;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
