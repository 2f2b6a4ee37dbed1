/**
 * A hash table from byte strings to unsigned integers, for millions of keys: open addressing over flat arrays, so that
 * a look-up makes no object and touches few cache lines. Keys are compared byte by byte: the hash only finds them.
 *
 * A key is a range of bytes and a `prefix`, a 32-bit number that stands for whatever context the bytes belong to.
 * There is no removal: the owner drops the whole table when it has grown too large.
 *
 * Senders name their series in the same order again and again. So each entry remembers which one was found after it, and
 * that one is compared first: a hit costs neither a hash nor a look into the slots.
 */
export class KeyTable {
  /** Entry numbers, 0 where free. A power of two, at most half full. */
  #slots = new Int32Array(1 << 10);
  /** {@link ENTRY_SIZE} numbers per entry, see the constants below. */
  #entries = new Int32Array(ENTRY_SIZE << 8);
  /** Where the entry found or added last begins in `#entries`. Before the first: its `NEXT` is 0, as wanted. */
  #last = 0;
  #size = 0;
  #keyBytes = 0;
  readonly #chunks: DataView[] = [];
  #chunkUsed = 0;
  #chunkSize = 0;

  get size(): number {
    return this.#size;
  }

  /** Bytes held for keys and table, roughly. */
  get byteSize(): number {
    return this.#keyBytes + this.#size * (ENTRY_SIZE * 4 + 12);
  }

  /** The value under the key `view[start, end)`, -1 when there is none. */
  find(view: DataView, start: number, end: number, prefix: number): number {
    const length = end - start;
    const next = this.#entries[this.#last + NEXT] as number;
    if (next !== 0 && this.#entries[next + LENGTH] === length && this.#isAt(next, view, start, prefix)) {
      this.#last = next;
      return this.value;
    }
    return this.#findByHash(view, start, end, prefix);
  }

  /**
   * The end of the key that usually comes after the last one, if its bytes stand at `start`; {@link value} is its then.
   * -1 if not. Saves the caller from finding out where the key ends; it must check that it ends there indeed.
   */
  findNext(view: DataView, start: number, limit: number, prefix: number): number {
    const next = this.#entries[this.#last + NEXT] as number;
    const end = start + (this.#entries[next + LENGTH] as number);
    if (next === 0 || end > limit || !this.#isAt(next, view, start, prefix)) return -1;
    this.#last = next;
    return end;
  }

  /** The value of the key found or added last. */
  get value(): number {
    return (this.#entries[this.#last + VALUE] as number) >>> 0;
  }

  #findByHash(view: DataView, start: number, end: number, prefix: number): number {
    const hash = hashRange(view, start, end, prefix);
    const slots = this.#slots;
    const entries = this.#entries;
    const mask = slots.length - 1;
    const length = end - start;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot] as number;
      if (entry === 0) return -1;
      const at = entry * ENTRY_SIZE;
      if (entries[at + HASH] === hash && entries[at + LENGTH] === length && this.#isAt(at, view, start, prefix)) {
        this.#follow(at);
        return this.value;
      }
    }
  }

  /** Whether the key of the entry at `at` stands at `start`, given that there is room for it. */
  #isAt(at: number, view: DataView, start: number, prefix: number): boolean {
    const entries = this.#entries;
    if (entries[at + PREFIX] !== (prefix | 0)) return false;
    const chunk = this.#chunks[entries[at + CHUNK] as number] as DataView;
    return sameBytes(chunk, entries[at + OFFSET] as number, view, start, entries[at + LENGTH] as number);
  }

  #follow(at: number): void {
    this.#entries[this.#last + NEXT] = at;
    this.#last = at;
  }

  /** Adds a key that {@link find} did not find. Copies its bytes. */
  add(view: DataView, start: number, end: number, prefix: number, value: number): void {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#growSlots();
    if ((this.#size + 2) * ENTRY_SIZE > this.#entries.length) {
      const larger = new Int32Array(this.#entries.length * 2);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    const length = end - start;
    if (this.#chunks.length === 0 || this.#chunkUsed + length > this.#chunkSize) {
      this.#chunkSize = Math.max(MIN_CHUNK_BYTES, Math.min(this.#keyBytes, MAX_CHUNK_BYTES), length);
      this.#chunks.push(new DataView(new ArrayBuffer(this.#chunkSize)));
      this.#chunkUsed = 0;
    }
    const chunk = this.#chunks.length - 1;
    const target = new Uint8Array((this.#chunks[chunk] as DataView).buffer);
    target.set(new Uint8Array(view.buffer, view.byteOffset + start, length), this.#chunkUsed);
    // Entry 0 is none: it is what came before the first.
    const at = ++this.#size * ENTRY_SIZE;
    const entries = this.#entries;
    const hash = hashRange(view, start, end, prefix);
    entries[at + HASH] = hash;
    entries[at + PREFIX] = prefix | 0;
    entries[at + LENGTH] = length;
    entries[at + CHUNK] = chunk;
    entries[at + OFFSET] = this.#chunkUsed;
    entries[at + VALUE] = value | 0;
    this.#chunkUsed += length;
    this.#keyBytes += length;
    this.#place(hash, this.#size);
    this.#follow(at);
  }

  #place(hash: number, entry: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = entry;
  }

  #growSlots(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let entry = 1; entry <= this.#size; entry++) {
      this.#place(this.#entries[entry * ENTRY_SIZE + HASH] as number, entry);
    }
  }
}

const MIN_CHUNK_BYTES = 1 << 12;
const MAX_CHUNK_BYTES = 1 << 20;
const ENTRY_SIZE = 7;
const HASH = 0;
const PREFIX = 1;
const LENGTH = 2;
const CHUNK = 3;
const OFFSET = 4;
const VALUE = 5;
/** Where the entry begins that was found after this one the last time, 0 when there is none. */
const NEXT = 6;

/** Differs from process to process, so that nobody can prepare keys that all fall into one slot. */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0;

/**
 * Four lanes of four bytes each, folded after every multiplication, then murmur3's finish. Lanes that do not wait for
 * one another make this and {@link sameBytes} twice as fast as one after the other.
 */
function hashRange(view: DataView, start: number, end: number, prefix: number): number {
  let a = SEED ^ Math.imul(prefix, 0x9e3779b1);
  let b = SEED ^ (end - start);
  let c = SEED ^ 0x27d4eb2f;
  let d = SEED ^ 0x165667b1;
  let i = start;
  for (; i + 16 <= end; i += 16) {
    a = Math.imul(a ^ view.getInt32(i, true), 0x85ebca6b);
    b = Math.imul(b ^ view.getInt32(i + 4, true), 0xc2b2ae35);
    c = Math.imul(c ^ view.getInt32(i + 8, true), 0x27d4eb2f);
    d = Math.imul(d ^ view.getInt32(i + 12, true), 0x165667b1);
    a ^= a >>> 15;
    b ^= b >>> 13;
    c ^= c >>> 15;
    d ^= d >>> 13;
  }
  for (; i + 4 <= end; i += 4) {
    a = Math.imul(a ^ view.getInt32(i, true), 0x85ebca6b);
    a ^= a >>> 15;
  }
  for (; i < end; i++) {
    a = Math.imul(a ^ view.getUint8(i), 0x01000193);
    a ^= a >>> 15;
  }
  let hash = a ^ rotate(b, 7) ^ rotate(c, 15) ^ rotate(d, 23);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function sameBytes(a: DataView, startA: number, b: DataView, startB: number, length: number): boolean {
  let i = 0;
  for (; i + 16 <= length; i += 16) {
    const atA = startA + i;
    const atB = startB + i;
    const difference =
      (a.getInt32(atA, true) ^ b.getInt32(atB, true)) |
      (a.getInt32(atA + 4, true) ^ b.getInt32(atB + 4, true)) |
      (a.getInt32(atA + 8, true) ^ b.getInt32(atB + 8, true)) |
      (a.getInt32(atA + 12, true) ^ b.getInt32(atB + 12, true));
    if (difference !== 0) return false;
  }
  for (; i < length; i++) if (a.getUint8(startA + i) !== b.getUint8(startB + i)) return false;
  return true;
}
