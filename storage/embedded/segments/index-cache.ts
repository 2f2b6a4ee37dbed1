/** Of the size, that stays when memory runs short: what every query asks for would only be read again and again. */
const KEPT_SHARE = 1 / 8;

/** Keeps the most recently used values up to a size; concurrent loads of one key are one load. */
export class IndexCache<T> {
  readonly #maxBytes: number;
  readonly #entries = new Map<number, { readonly value: Promise<T>; bytes: number }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A failed load is not kept. */
  get(key: number, load: () => Promise<{ readonly value: T; readonly bytes: number }>): Promise<T> {
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.value;
    }
    const loading = load();
    const entry = { value: loading.then(({ value }) => value), bytes: 0 };
    this.#entries.set(key, entry);
    loading.then(
      ({ bytes }) => {
        if (this.#entries.get(key) !== entry) return;
        entry.bytes = bytes;
        this.#bytes += bytes;
        this.#evictTo(this.#maxBytes);
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    return entry.value;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Lets go of the half that was used longest ago, but for a last little. */
  shrink(): void {
    this.#evictTo(Math.max(this.#bytes / 2, KEPT_SHARE * this.#maxBytes));
  }

  delete(key: number): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  #evictTo(bytes: number): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= bytes) return;
      this.#bytes -= entry.bytes;
      this.#entries.delete(key);
    }
  }
}
