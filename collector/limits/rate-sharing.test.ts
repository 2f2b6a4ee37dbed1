import { UnavailableError } from "@sightline/model/errors.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { SharedRates, UsedRate } from "@sightline/model/shared-state.ts";
import { beforeEach, describe, expect, test } from "vitest";
import { RateSharing } from "./rate-sharing.ts";
import { TokenBucket } from "./token-bucket.ts";

const [RATE, BURST] = [100, 200];
let nowMs = 0;

/** A bucket for all, as a server would keep it. */
class OneBucket implements SharedRates {
  sharers = 1;
  isAway = false;
  #left = BURST;
  #atMs = 0;

  async exchange(used: readonly UsedRate[]) {
    if (this.isAway) throw new UnavailableError("away", { retryAfterMs: 1 });
    return used.map(({ amount }) => {
      this.#left = Math.min(BURST, this.#left + ((nowMs - this.#atMs) / 1_000) * RATE) - amount;
      this.#atMs = nowMs;
      return { left: this.#left, sharers: this.sharers };
    });
  }
}

class Collector {
  readonly bucket = new TokenBucket();
  readonly sharing: RateSharing;

  constructor(rates: SharedRates) {
    this.sharing = new RateSharing({ rates, logger: SILENT_LOGGER, nowMs: () => nowMs });
  }

  /** Takes one at a time as long as it may; returns how many. */
  takeAll(): number {
    let taken = 0;
    while (this.bucket.waitMs(nowMs, RATE, BURST) === 0) {
      this.bucket.take(1, nowMs, RATE, BURST);
      this.sharing.used("b", this.bucket, 1, RATE, BURST);
      taken++;
    }
    this.sharing.used("b", this.bucket, 0, RATE, BURST);
    return taken;
  }
}

describe("collectors that share a rate", () => {
  let rates: OneBucket;
  let collectors: readonly Collector[];
  const exchange = async () => {
    for (const { sharing } of collectors) await sharing.exchange();
  };
  const takeFor = async (seconds: number) => {
    let taken = 0;
    for (let i = 0; i < seconds * 10; i++) {
      nowMs += 100;
      for (const collector of collectors) taken += collector.takeAll();
      await exchange();
    }
    return taken;
  };

  beforeEach(() => {
    nowMs = 0;
    rates = new OneBucket();
    collectors = [new Collector(rates), new Collector(rates)];
  });

  test("let through together what one of them might", async () => {
    rates.sharers = 2;
    const taken = await takeFor(60);
    // Each may have had a burst before it knew of the other.
    expect(taken).toBeGreaterThanOrEqual(60 * RATE * 0.9);
    expect(taken).toBeLessThanOrEqual(60 * RATE + 2 * BURST);
  });

  test("let through no more when they can't tell each other", async () => {
    rates.sharers = 2;
    await takeFor(5);
    rates.isAway = true;
    const taken = await takeFor(60);
    expect(taken).toBeGreaterThanOrEqual(60 * RATE * 0.9);
    expect(taken).toBeLessThanOrEqual(60 * RATE + 2 * BURST);
    rates.isAway = false;
    expect(await takeFor(60)).toBeLessThanOrEqual(60 * RATE + 2 * BURST);
  });

  test("one alone has the whole rate", async () => {
    collectors = collectors.slice(0, 1);
    const taken = await takeFor(60);
    expect(taken).toBeGreaterThanOrEqual(60 * RATE);
    expect(taken).toBeLessThanOrEqual(60 * RATE + BURST);
  });

  test("who has not been used for a while is not told of", async () => {
    const told: number[] = [];
    const counting: SharedRates = {
      exchange: (used) => {
        told.push(used.length);
        return rates.exchange(used);
      },
    };
    const collector = new Collector(counting);
    collector.takeAll();
    await collector.sharing.exchange();
    nowMs += 10_000;
    await collector.sharing.exchange();
    expect(told).toEqual([1]);
  });
});
