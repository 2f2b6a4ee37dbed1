/** Length of the shortest intervals: that of Loki's patterns. */
export const FINEST_SECONDS = 10;
/** Intervals become longer with age: from so many seconds on, so long. Each is a multiple of the one before. */
const TIERS: readonly { readonly afterSeconds: number; readonly seconds: number }[] = [
  { afterSeconds: 7_200, seconds: 300 },
  { afterSeconds: 86_400, seconds: 3_600 },
];
const COARSEST_SECONDS = 3_600;
/** More than two hours of the finest, a day and a month of the others take. */
const MAX_INTERVALS = 2_048;
const MAX_COUNT = 0xffff_ffff;

/** How counts are joined: `pressure` 1 and more makes intervals long at a quarter of the age each. */
export type Compaction = { readonly nowSeconds: number; readonly oldestSeconds: number; readonly pressure: number };

/** Counts of lines by intervals of time; those without a line take no room. Times are whole seconds since the epoch. */
export class TimeCounts {
  /** In units of {@link FINEST_SECONDS}, ascending. */
  #times = new Uint32Array(4);
  #counts = new Uint32Array(4);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get memoryBytes(): number {
    return this.#times.length * 8 + 250;
  }

  /** Beginning of the newest interval, -Infinity without one. */
  get lastSeconds(): number {
    return this.#length > 0 ? (this.#times[this.#length - 1] as number) * FINEST_SECONDS : Number.NEGATIVE_INFINITY;
  }

  /** Times before the epoch count as the epoch. */
  add(seconds: number, count: number): void {
    const time = seconds > 0 ? Math.floor(seconds / FINEST_SECONDS) : 0;
    const last = this.#length - 1;
    if (last >= 0 && this.#times[last] === time) this.#increase(last, count);
    else this.#insert(time, count);
  }

  each(visit: (seconds: number, count: number) => void): void {
    for (let i = 0; i < this.#length; i++) {
      visit((this.#times[i] as number) * FINEST_SECONDS, this.#counts[i] as number);
    }
  }

  /** Joins intervals that have become old, and forgets the oldest. */
  compact({ nowSeconds, oldestSeconds, pressure }: Compaction): void {
    const scale = 4 ** pressure;
    this.#rewrite((time) => {
      const seconds = time * FINEST_SECONDS;
      if (seconds < oldestSeconds) return undefined;
      let width = FINEST_SECONDS;
      for (const tier of TIERS) if (nowSeconds - seconds >= tier.afterSeconds / scale) width = tier.seconds;
      return time - (time % (width / FINEST_SECONDS));
    });
    const size = Math.max(4, this.#length);
    if (size * 4 < this.#times.length) this.#resize(size);
  }

  /** Times and counts in base64. */
  encode(): string {
    const both = new Uint32Array(this.#length * 2);
    both.set(this.#times.subarray(0, this.#length));
    both.set(this.#counts.subarray(0, this.#length), this.#length);
    return Buffer.from(both.buffer).toString("base64");
  }

  static decode(text: string): TimeCounts {
    const bytes = Uint8Array.from(Buffer.from(text, "base64"));
    const both = new Uint32Array(bytes.buffer, 0, bytes.length >> 2);
    const decoded = new TimeCounts();
    decoded.#length = both.length >> 1;
    decoded.#times = both.slice(0, decoded.#length);
    decoded.#counts = both.slice(decoded.#length, 2 * decoded.#length);
    return decoded;
  }

  #increase(at: number, count: number): void {
    this.#counts[at] = Math.min(MAX_COUNT, (this.#counts[at] as number) + count);
  }

  #insert(time: number, count: number): void {
    if (this.#length >= MAX_INTERVALS) this.#shorten();
    let at = this.#length;
    while (at > 0 && (this.#times[at - 1] as number) >= time) at--;
    if (at < this.#length && this.#times[at] === time) {
      this.#increase(at, count);
      return;
    }
    if (this.#length === this.#times.length) this.#resize(Math.max(4, this.#length * 2));
    this.#times.copyWithin(at + 1, at, this.#length);
    this.#counts.copyWithin(at + 1, at, this.#length);
    this.#times[at] = time;
    this.#counts[at] = count;
    this.#length++;
  }

  /** Lines of so many different times come only from whoever makes them up: coarser first, then without the oldest. */
  #shorten(): void {
    const units = COARSEST_SECONDS / FINEST_SECONDS;
    this.#rewrite((time) => time - (time % units));
    if (this.#length <= MAX_INTERVALS / 2) return;
    const middle = this.#times[this.#length >> 1] as number;
    this.#rewrite((time) => (time < middle ? undefined : time));
  }

  #rewrite(timeOf: (time: number) => number | undefined): void {
    let length = 0;
    for (let i = 0; i < this.#length; i++) {
      const time = timeOf(this.#times[i] as number);
      if (time === undefined) continue;
      const count = this.#counts[i] as number;
      if (length > 0 && this.#times[length - 1] === time) {
        this.#increase(length - 1, count);
        continue;
      }
      this.#times[length] = time;
      this.#counts[length++] = count;
    }
    this.#length = length;
  }

  #resize(size: number): void {
    const times = new Uint32Array(size);
    times.set(this.#times.subarray(0, this.#length));
    const counts = new Uint32Array(size);
    counts.set(this.#counts.subarray(0, this.#length));
    this.#times = times;
    this.#counts = counts;
  }
}
