/** More is not taken by `setTimeout`, which fires at once then. */
const MAX_MS = 2 ** 31 - 1;

/** One timer that can be set anew. It does not keep the process alive. */
export class Timer {
  readonly #onTime: () => void;
  #handle: NodeJS.Timeout | undefined;

  constructor(onTime: () => void) {
    this.#onTime = onTime;
  }

  set(delayMs: number): void {
    this.clear();
    this.#handle = setTimeout(
      () => (delayMs > MAX_MS ? this.set(delayMs - MAX_MS) : this.#onTime()),
      Math.min(delayMs, MAX_MS),
    );
    this.#handle.unref();
  }

  clear(): void {
    clearTimeout(this.#handle);
    this.#handle = undefined;
  }
}
