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
const MAX_COUNT = 0x7fff_ffff;

/** How counts are joined: `pressure` 1 and more makes intervals long at a quarter of the age each. */
export type Compaction = { readonly nowSeconds: number; readonly oldestSeconds: number; readonly pressure: number };

/** Counts of lines by intervals of time; those without a line take no room. Times are whole seconds since the epoch. */
export class TimeCounts {
  /**
   * Time, in units of {@link FINEST_SECONDS} and ascending, and count of each interval in turn. A plain array of small
   * integers: most are short, and typed arrays take longer to make.
   */
  #pairs: number[] = [];

  get length(): number {
    return this.#pairs.length / 2;
  }

  get memoryBytes(): number {
    return this.#pairs.length * 8 + 100;
  }

  /** Beginning of the newest interval, -Infinity without one. */
  get lastSeconds(): number {
    const { length } = this.#pairs;
    return length > 0 ? (this.#pairs[length - 2] as number) * FINEST_SECONDS : Number.NEGATIVE_INFINITY;
  }

  /** Times before the epoch count as the epoch. */
  add(seconds: number, count: number): void {
    const time = seconds > 0 ? Math.floor(seconds / FINEST_SECONDS) : 0;
    const pairs = this.#pairs;
    const last = pairs.length - 2;
    if (last < 0 || (pairs[last] as number) < time) this.#push(time, count);
    else if (pairs[last] === time) this.#increase(last, count);
    else this.#insert(time, count);
  }

  each(visit: (seconds: number, count: number) => void): void {
    const pairs = this.#pairs;
    for (let i = 0; i < pairs.length; i += 2) visit((pairs[i] as number) * FINEST_SECONDS, pairs[i + 1] as number);
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
  }

  /** In base64, as 32-bit integers. */
  encode(): string {
    return Buffer.from(Uint32Array.from(this.#pairs).buffer).toString("base64");
  }

  static decode(text: string): TimeCounts {
    const bytes = Uint8Array.from(Buffer.from(text, "base64"));
    const decoded = new TimeCounts();
    decoded.#pairs = Array.from(new Uint32Array(bytes.buffer, 0, (bytes.length >> 3) * 2));
    return decoded;
  }

  #push(time: number, count: number): void {
    if (this.length >= MAX_INTERVALS) {
      this.#shorten();
      this.add(time * FINEST_SECONDS, count);
    } else this.#pairs.push(time, count);
  }

  #increase(at: number, count: number): void {
    this.#pairs[at + 1] = Math.min(MAX_COUNT, (this.#pairs[at + 1] as number) + count);
  }

  #insert(time: number, count: number): void {
    if (this.length >= MAX_INTERVALS) this.#shorten();
    const pairs = this.#pairs;
    let at = pairs.length;
    while (at > 0 && (pairs[at - 2] as number) >= time) at -= 2;
    if (pairs[at] === time) this.#increase(at, count);
    else pairs.splice(at, 0, time, count);
  }

  /** Lines of so many different times come only from whoever makes them up: coarser first, then without the oldest. */
  #shorten(): void {
    const units = COARSEST_SECONDS / FINEST_SECONDS;
    this.#rewrite((time) => time - (time % units));
    if (this.length <= MAX_INTERVALS / 2) return;
    const middle = this.#pairs[(this.length >> 1) * 2] as number;
    this.#rewrite((time) => (time < middle ? undefined : time));
  }

  #rewrite(timeOf: (time: number) => number | undefined): void {
    const rewritten: number[] = [];
    const before = this.#pairs;
    this.#pairs = rewritten;
    for (let i = 0; i < before.length; i += 2) {
      const time = timeOf(before[i] as number);
      if (time === undefined) continue;
      const last = rewritten.length - 2;
      if (last >= 0 && rewritten[last] === time) this.#increase(last, before[i + 1] as number);
      else rewritten.push(time, before[i + 1] as number);
    }
  }
}
