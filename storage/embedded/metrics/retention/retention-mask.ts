import type { TimeRange } from "@sightline/model/time-range.ts";
import { selectSeries } from "../select-series.ts";
import type { SeriesMask } from "../series-mask.ts";
import type { LabelIndex } from "../series-source.ts";
import { TimeSlice } from "../time-slice.ts";
import type { RetentionPolicy } from "./retention-policy.ts";

/** Which rule of a policy is about which series of one source. A byte a series. */
export class RuleNumbers {
  /** By series: 0 for none, else the number of the rule + 1. */
  readonly #numbers: Uint8Array;

  private constructor(numbers: Uint8Array) {
    this.#numbers = numbers;
  }

  static async of(index: LabelIndex, { rules }: RetentionPolicy): Promise<RuleNumbers> {
    const slice = new TimeSlice();
    const numbers = new Uint8Array(index.seriesCount);
    // The first rule that matches counts: so it is written last.
    for (let rule = rules.length - 1; rule >= 0; rule--) {
      for (const id of await selectSeries(index, rules[rule]?.matchers ?? [], slice)) numbers[id] = rule + 1;
    }
    return new RuleNumbers(numbers);
  }

  get seriesCount(): number {
    return this.#numbers.length;
  }

  get bytes(): number {
    return 100 + this.#numbers.byteLength;
  }

  /** How long a series is kept. */
  keepMs(id: number, { rules, keepMs }: RetentionPolicy): number {
    return rules[(this.#numbers[id] ?? 0) - 1]?.keepMs ?? keepMs;
  }

  /** The shortest time that one of the series is kept. */
  shortestMs(policy: RetentionPolicy): number {
    let shortest = Number.POSITIVE_INFINITY;
    for (const number of new Set(this.#numbers)) {
      shortest = Math.min(shortest, policy.rules[number - 1]?.keepMs ?? policy.keepMs);
    }
    return shortest;
  }
}

/** Hides of each series what is older than it is kept. */
export class RetentionMask implements SeriesMask {
  readonly isExact = false;
  readonly #numbers: RuleNumbers;
  readonly #policy: RetentionPolicy;
  readonly #nowMs: number;
  readonly #oldestMs: number;

  /** `oldestMs` is the time of the oldest sample of the source. */
  constructor(numbers: RuleNumbers, policy: RetentionPolicy, nowMs: number, oldestMs: number) {
    this.#numbers = numbers;
    this.#policy = policy;
    this.#nowMs = nowMs;
    this.#oldestMs = oldestMs;
  }

  hides(id: number): boolean {
    return this.#fromMs(id) > this.#oldestMs;
  }

  visible(id: number, { startMs, endMs }: TimeRange): readonly TimeRange[] {
    const fromMs = Math.max(startMs, this.#fromMs(id));
    return fromMs <= endMs ? [{ startMs: fromMs, endMs }] : [];
  }

  #fromMs(id: number): number {
    return this.#nowMs - this.#numbers.keepMs(id, this.#policy);
  }
}
