import { seededRandom } from "@sightline/model/seeded-random.ts";

/** Random choices that are the same for the same seed. */
export class Random {
  /** 0 included, 1 excluded. */
  readonly fraction: () => number;

  constructor(seed: number) {
    this.fraction = seededRandom(seed);
  }

  /** 0 included, `limit` excluded; 0 for a limit below 1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}
