/** Lets those of one key do something one after the other, where it takes several turns of the event loop. */
export class OneAtATime {
  readonly #busy = new Map<string, Promise<void>>();

  /** undefined: nobody of this key is at it, now. Otherwise to be asked again once it settles. */
  wait(key: string): Promise<void> | undefined {
    return this.#busy.get(key);
  }

  /** Until what it gives is called, others of the key have to wait. Nobody may be at it. */
  begin(key: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#busy.set(key, promise);
    return () => {
      this.#busy.delete(key);
      resolve();
    };
  }
}
