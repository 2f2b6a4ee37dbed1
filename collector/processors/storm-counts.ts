import { createHash } from "node:crypto";
import type { SharedLimits } from "@sightline/model/shared-state.ts";

/** Patterns are told of once a collector has so large a part of what may come that was not told of. */
const TOLD_PART = 0.1;
/** Others' clocks are so far behind, at most, and requests take their time. */
const KEEP_MS = 10_000;

type Seen = { count: number; untold: number };

/**
 * How often patterns were seen in the present second, by this process and, of those that may be storms, by the others: all
 * together let through at most a tenth more than they may for each of them.
 */
export class StormCounts {
  readonly #limits: SharedLimits | undefined;
  readonly #name: string;
  readonly #maxPerSecond: number;
  readonly #maxPatterns: number;
  #second = 0;
  #seen = new Map<string, Seen>();

  constructor(
    limits: SharedLimits | undefined,
    name: string,
    { max_per_second, max_patterns }: { readonly max_per_second: number; readonly max_patterns: number },
  ) {
    this.#limits = limits;
    this.#name = name;
    this.#maxPerSecond = max_per_second;
    this.#maxPatterns = max_patterns;
  }

  begin(receivedAtMs: number): void {
    const now = Math.floor(receivedAtMs / 1_000);
    if (now === this.#second) return;
    this.#second = now;
    this.#seen = new Map();
  }

  /** One more. Gives how many there are; of a pattern for which there is no room it is the first. */
  see(pattern: string): number {
    let seen = this.#seen.get(pattern);
    if (!seen) {
      if (this.#seen.size >= this.#maxPatterns) return 1;
      seen = { count: 0, untold: 0 };
      this.#seen.set(pattern, seen);
    }
    seen.untold++;
    return ++seen.count;
  }

  /** Before these, a pattern a row, are seen: learns what others saw of those that may be storms. Never rejects. */
  learn(patterns: readonly string[]): Promise<void> | undefined {
    if (!this.#limits) return undefined;
    const coming = new Map<string, number>();
    for (const pattern of patterns) coming.set(pattern, (coming.get(pattern) ?? 0) + 1);
    const told = new Map<string, { readonly seen: Seen; readonly coming: number; readonly added: number }>();
    for (const [pattern, count] of coming) {
      const seen = this.#seen.get(pattern) ?? { count: 0, untold: 0 };
      const added = seen.untold + count;
      if (added < this.#maxPerSecond * TOLD_PART) continue;
      if (!this.#seen.has(pattern) && this.#seen.size >= this.#maxPatterns) continue;
      this.#seen.set(pattern, seen);
      told.set(pattern, { seen, coming: count, added });
    }
    return told.size === 0 ? undefined : this.#tell(this.#limits, told);
  }

  async #tell(
    limits: SharedLimits,
    told: ReadonlyMap<string, { readonly seen: Seen; readonly coming: number; readonly added: number }>,
  ): Promise<void> {
    const names = new Map(Array.from(told.keys(), (pattern) => [nameOf(pattern), pattern]));
    const added = new Map(Array.from(names, ([name, pattern]) => [name, told.get(pattern)?.added ?? 0]));
    const counts = await limits.count(`${this.#name}\u0000${this.#second}`, added, KEEP_MS).catch(() => undefined);
    if (!counts) return;
    for (const [name, count] of counts) {
      const of = told.get(names.get(name) as string);
      if (!of) continue;
      of.seen.count = Math.max(of.seen.count, count - of.coming);
      // They are about to be seen.
      of.seen.untold = -of.coming;
    }
  }
}

/** Short, and nobody's text is in Redis. */
function nameOf(pattern: string): string {
  return createHash("sha1").update(pattern).digest("base64url");
}
