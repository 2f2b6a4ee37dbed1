/** Of the size, that stays when memory runs short: what every query asks for would only be read again and again. */
const KEPT_SHARE = 1 / 8;

type Entry<V> = { readonly value: V; readonly bytes: number; isUsed: boolean };

/**
 * Keeps what was used last, up to a number of bytes. What was used since room was last needed gets a second chance then,
 * instead of a new place at every use: queries look up pages by the hundred.
 */
export class ByteCache<V extends { readonly bytes: number }> {
  readonly #maxBytes: number;
  /** The next to go first. */
  readonly #entries = new Map<string, Entry<V>>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** There is no room for what nobody has asked for. */
  get isHalfFull(): boolean {
    return this.#bytes >= this.#maxBytes / 2;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    entry.isUsed = true;
    return entry.value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    const { bytes } = value;
    this.#entries.set(key, { value, bytes, isUsed: true });
    this.#bytes += bytes;
    this.#evictTo(this.#maxBytes);
  }

  /** Lets go of the half that was used longest ago, but for a last little. */
  shrink(): void {
    this.#evictTo(Math.max(this.#bytes / 2, KEPT_SHARE * this.#maxBytes));
  }

  #evictTo(bytes: number): void {
    // Ends, as what gets its second chance in here is not used again meanwhile.
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= bytes) return;
      this.#entries.delete(key);
      if (entry.isUsed) {
        entry.isUsed = false;
        this.#entries.set(key, entry);
      } else this.#bytes -= entry.bytes;
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
