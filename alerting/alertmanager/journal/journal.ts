/** Keeps what must outlive a crash. A record replaces earlier ones about the same thing: which those are its owner knows. */
export interface Journal<T> {
  /** Settles once the record is durable; records are kept in the order of the calls. Throws `UnavailableError`. */
  append(...records: readonly T[]): Promise<void>;
}

/** For tests, and for state that need not be kept. */
export class MemoryJournal<T> implements Journal<T> {
  readonly records: T[] = [];

  async append(...records: readonly T[]): Promise<void> {
    this.records.push(...records);
  }
}
