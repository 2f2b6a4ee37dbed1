/** Keeps what was used last, up to a number of bytes. */
export class ByteCache<V extends { readonly bytes: number }> {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, { readonly value: V; readonly bytes: number }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    const { bytes } = value;
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    this.#evictTo(this.#maxBytes);
  }

  /** Lets go of the half that was used longest ago. */
  shrink(): void {
    this.#evictTo(this.#bytes / 2);
  }

  #evictTo(bytes: number): void {
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= bytes) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
