import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { SharedRates, UsedRate } from "@sightline/model/shared-state.ts";
import type { TokenBucket } from "./token-bucket.ts";

export type RateSharingOptions = {
  readonly rates: SharedRates;
  readonly logger: Logger;
  /** The clock of the buckets. */
  readonly nowMs: () => number;
};

const EXCHANGE_MS = 100;
/** For so long after its last use a bucket learns what others take from it. */
const ACTIVE_MS = 4_000;

type Shared = { used: Omit<UsedRate, "bucket">; lastUsedMs: number; readonly bucket: TokenBucket };

/**
 * Keeps the buckets of several collectors alike: ten times a second each tells what it took and learns what is left. In between, and
 * when nobody can be told, each refills its part of the rate, by how many they were last.
 */
export class RateSharing {
  readonly #options: RateSharingOptions;
  /** Only those that were used lately. */
  readonly #shared = new Map<string, Shared>();
  #timer: NodeJS.Timeout | undefined;
  #exchanging: Promise<void> | undefined;

  constructor(options: RateSharingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#exchanging ??= this.exchange().finally(() => {
        this.#exchanging = undefined;
      });
    }, EXCHANGE_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#exchanging;
  }

  /** `amount` was taken from the bucket, or 0 when it was only asked. */
  used(name: string, bucket: TokenBucket, amount: number, ratePerSecond: number, burst: number): void {
    const known = this.#shared.get(name);
    const before = known?.bucket === bucket ? known.used.amount : 0;
    const used = { ratePerSecond, burst, amount: before + amount };
    const lastUsedMs = this.#options.nowMs();
    if (known?.bucket === bucket) Object.assign(known, { used, lastUsedMs });
    else this.#shared.set(name, { used, lastUsedMs, bucket });
  }

  /** Happens by itself. */
  async exchange(): Promise<void> {
    const { rates, logger, nowMs } = this.#options;
    for (const [name, { used, lastUsedMs }] of this.#shared) {
      if (used.amount === 0 && nowMs() - lastUsedMs > ACTIVE_MS) this.#shared.delete(name);
    }
    const all = [...this.#shared];
    if (all.length === 0) return;
    const sent = all.map(([name, { used }]) => ({ bucket: name, ...used }));
    try {
      const answers = await rates.exchange(sent);
      for (const [i, [, shared]] of all.entries()) {
        const answer = answers[i];
        if (!answer) continue;
        const since = shared.used.amount - (sent[i]?.amount ?? 0);
        shared.used = { ...shared.used, amount: since };
        shared.bucket.share(answer.left - since, answer.sharers, nowMs());
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) logger.error("rates could not be shared", { error });
      // What was taken meanwhile has been taken off here: telling it later would take it off others' twice.
      for (const [i, [, shared]] of all.entries()) {
        shared.used = { ...shared.used, amount: shared.used.amount - (sent[i]?.amount ?? 0) };
      }
    }
  }
}
