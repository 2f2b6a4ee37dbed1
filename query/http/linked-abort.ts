/**
 * A signal of its own that also aborts when `parent` does, with its reason, and after `timeoutMs` when that is given.
 * Cheaper than `AbortSignal.any`, which a short query would notice. Call {@link LinkedAbort.release} when it is over.
 */
export class LinkedAbort {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal;
  readonly #onParent = () => this.#controller.abort(this.#parent.reason);
  readonly #timer: NodeJS.Timeout | undefined;
  #timedOut = false;

  constructor(parent: AbortSignal, timeoutMs?: number) {
    this.#parent = parent;
    if (parent.aborted) this.#onParent();
    else parent.addEventListener("abort", this.#onParent);
    if (timeoutMs === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.#controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    }, timeoutMs);
    this.#timer.unref();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** True once `timeoutMs` were over before it was released. */
  get timedOut(): boolean {
    return this.#timedOut;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#parent.removeEventListener("abort", this.#onParent);
  }
}
