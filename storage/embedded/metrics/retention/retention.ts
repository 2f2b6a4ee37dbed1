import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Awaitable } from "../awaitable.ts";
import type { BlockCache } from "../block.ts";
import type { ListedBlock } from "../listed-block.ts";
import { MaskedSource } from "../series-mask.ts";
import type { SeriesSource } from "../series-source.ts";
import { RetentionMask, RuleNumbers } from "./retention-mask.ts";
import { longestKeepMs, type RetentionPolicy, shortestKeepMs } from "./retention-policy.ts";

/** What is too old becomes invisible in steps of this. */
const STEP_MS = 60_000;
/** Of more blocks it is found out again. */
const MAX_KNOWN_BLOCKS = 10_000;

/**
 * What of a tenant's samples is too old. Reads are limited to the samples that are kept, whether or not the files still
 * have others. Time passes only when {@link Retention.advance} is called, which says what that hides: so results that were
 * kept elsewhere can follow exactly.
 */
export class Retention {
  readonly #cache: BlockCache;
  #policy: RetentionPolicy;
  /** Tells the numbers of rules of this policy from those of another. */
  #version = 0;
  #nowMs: number;
  /** When a block first has a series that nothing of is kept; by file. */
  #dueMs = new Map<string, number>();

  constructor(policy: RetentionPolicy, nowMs: number, cache: BlockCache) {
    this.#cache = cache;
    this.#policy = policy;
    this.#nowMs = stepOf(nowMs);
  }

  get policy(): RetentionPolicy {
    return this.#policy;
  }

  /** Nothing before it is kept, whatever the series. */
  get oldestMs(): number {
    return this.#nowMs - longestKeepMs(this.#policy);
  }

  /** Lets time pass. Returns the ranges in which samples may have become invisible. */
  advance(nowMs: number): TimeRange[] {
    const now = stepOf(nowMs);
    const before = this.#nowMs;
    if (now <= before) return [];
    this.#nowMs = now;
    const keeps = new Set([this.#policy.keepMs, ...this.#policy.rules.map(({ keepMs }) => keepMs)]);
    return [...keeps].map((keepMs) => ({ startMs: before - keepMs, endMs: now - keepMs - 1 }));
  }

  /** False when it is the policy that holds already. */
  change(policy: RetentionPolicy): boolean {
    if (policy === this.#policy) return false;
    this.#policy = policy;
    this.#version++;
    this.#dueMs.clear();
    return true;
  }

  /** The part of a range in which samples may be kept. */
  visible({ startMs, endMs }: TimeRange): TimeRange {
    return { startMs: Math.max(startMs, this.oldestMs), endMs };
  }

  /** A source without what its series do not keep; `oldestMs` is the time of its oldest sample. */
  limit(source: SeriesSource, oldestMs: number): Awaitable<SeriesSource> {
    const [policy, nowMs] = [this.#policy, this.#nowMs];
    if (policy.rules.length === 0 || oldestMs >= nowMs - shortestKeepMs(policy)) return source;
    return this.#numbers(source).then(
      (numbers) => new MaskedSource(source, new RetentionMask(numbers, policy, nowMs, oldestMs)),
    );
  }

  /** Whether a block has series of which nothing is kept, so that it is worth writing anew without them. */
  async isDue({ file, maxTimeMs }: ListedBlock, open: () => Awaitable<SeriesSource>): Promise<boolean> {
    const [policy, nowMs] = [this.#policy, this.#nowMs];
    if (policy.rules.length === 0 || maxTimeMs >= nowMs - shortestKeepMs(policy)) return false;
    let dueMs = this.#dueMs.get(file);
    if (dueMs === undefined) {
      dueMs = maxTimeMs + (await this.#numbers(await open())).shortestMs(policy);
      if (this.#dueMs.size >= MAX_KNOWN_BLOCKS) this.#dueMs.clear();
      this.#dueMs.set(file, dueMs);
    }
    return dueMs < nowMs;
  }

  async #numbers(source: SeriesSource): Promise<RuleNumbers> {
    const key = `${source.key} by rules ${this.#version}`;
    const known = this.#cache.get(key);
    if (known instanceof RuleNumbers && known.seriesCount === source.seriesCount) return known;
    const numbers = await RuleNumbers.of(source, this.#policy);
    this.#cache.set(key, numbers);
    return numbers;
  }
}

function stepOf(timeMs: number): number {
  return Math.floor(timeMs / STEP_MS) * STEP_MS;
}
