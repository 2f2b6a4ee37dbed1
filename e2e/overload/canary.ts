const EVERY_MS = 1_000;
const SLOWEST_KEPT = 10;
const TIMEOUT_MS = 30_000;

/** A query that somebody's dashboard repeats while the server is overloaded. */
export class Canary {
  readonly latenciesMs: number[] = [];
  /** Those of all that took longest, described. */
  readonly slowest: { readonly ms: number; readonly atSecond: number; readonly query: string }[] = [];
  readonly #beganMs = performance.now();
  readonly failures: string[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #asking = new Set<Promise<void>>();

  constructor(url: string, queries: readonly string[]) {
    let turn = 0;
    this.#timer = setInterval(() => {
      const query = queries[turn++ % queries.length] as string;
      const asked = this.#ask(url, query).finally(() => this.#asking.delete(asked));
      this.#asking.add(asked);
    }, EVERY_MS);
  }

  async #ask(url: string, path: string): Promise<void> {
    const beganMs = performance.now();
    try {
      const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      const text = await response.text();
      if (!response.ok) this.failures.push(`${response.status} ${text.slice(0, 200)}`);
    } catch (error) {
      this.failures.push((error as Error).message);
    }
    // One that fails is one that its user waited for.
    const ms = performance.now() - beganMs;
    this.latenciesMs.push(ms);
    this.slowest.push({ ms: Math.round(ms), atSecond: Math.round((beganMs - this.#beganMs) / 1_000), query: path });
    this.slowest.sort((a, b) => b.ms - a.ms).splice(SLOWEST_KEPT);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#asking);
  }

  quantileMs(q: number): number {
    const sorted = this.latenciesMs.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  }
}
