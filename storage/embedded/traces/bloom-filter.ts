/** Ten bits a key and seven probes: about one in a hundred keys that were not added is taken for one that was. */
const BITS_PER_KEY = 10;
const PROBES = 7;

/** Says of a trace id, as two 64-bit words, that it was not added, or that it may have been. */
export class BloomFilter {
  readonly bits: Uint8Array;

  constructor(bits: Uint8Array) {
    this.bits = bits;
  }

  static forKeys(count: number): BloomFilter {
    return new BloomFilter(new Uint8Array(Math.max(8, Math.ceil((count * BITS_PER_KEY) / 8))));
  }

  add(high: bigint, low: bigint): void {
    const { first, step } = hashesOf(high, low);
    const size = this.bits.length * 8;
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (first + probe * step) % size;
      this.bits[bit >>> 3] = (this.bits[bit >>> 3] as number) | (1 << (bit & 7));
    }
  }

  mayHave(high: bigint, low: bigint): boolean {
    const { first, step } = hashesOf(high, low);
    const size = this.bits.length * 8;
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (first + probe * step) % size;
      if (((this.bits[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }
}

/**
 * Two 32-bit hashes. Ids are random by their specification, but not all senders heed it (counters, zeros in one half),
 * so all words are mixed.
 */
function hashesOf(high: bigint, low: bigint): { readonly first: number; readonly step: number } {
  const a = mix(Number(BigInt.asUintN(32, low)) ^ mix(Number(BigInt.asUintN(32, low >> 32n))));
  const b = mix(Number(BigInt.asUintN(32, high)) ^ mix(Number(BigInt.asUintN(32, high >> 32n)) ^ a));
  return { first: mix(a ^ b), step: (b | 1) >>> 0 };
}

/** The finalizer of MurmurHash3 (public domain, Austin Appleby). */
function mix(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
