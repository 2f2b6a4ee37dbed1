/** Runs pieces of work one after the other, in the order in which they came. */
export class OneAtATime {
  /** Never rejects. */
  #newest: Promise<void> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#newest.then(work);
    this.#newest = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  /** Settles when all that came before the call is done. */
  idle(): Promise<void> {
    return this.#newest;
  }
}
