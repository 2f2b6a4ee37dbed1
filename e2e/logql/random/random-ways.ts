import type { RandomNumbers } from "../../promql-random-numbers.ts";
import type { QueryTree } from "../../promql-random-tree.ts";
import { RECORDS_MS } from "./random-records.ts";

/** How a query is asked. */
export type Way = {
  readonly path: "query" | "query_range";
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
};

const NS_PER_MS = 1_000_000n;

/** Random times, steps, limits, directions and encodings. */
export class RandomWays {
  readonly #random: RandomNumbers;
  readonly #startMs: number;

  constructor(random: RandomNumbers, startMs: number) {
    this.#random = random;
    this.#startMs = startMs;
  }

  way({ type }: QueryTree, text: string): Way {
    // Which of several lines of one time are left is open; of an interval with a limit Loki thins only the first lines.
    if (type === "log") return this.#lines(!/equal|app=~"\.\+"/.test(text));
    if (this.#random.chance(0.5)) {
      return { path: "query", parameters: { time: this.#time(this.#moment()) }, headers: {} };
    }
    return this.#steps();
  }

  #lines(hasOrder: boolean): Way {
    const random = this.#random;
    const interval = hasOrder && random.chance(0.15) ? random.one(["1s", "10s", "2.5", "1m"]) : undefined;
    const isWhole = random.chance(0.5);
    const [from, to] = isWhole ? [0, RECORDS_MS + 1_000] : [this.#moment(), this.#moment()].sort((a, b) => a - b);
    const parameters = {
      start: this.#time(from as number),
      end: this.#time((to as number) + 1),
      limit: random.chance(0.7) || interval !== undefined || !hasOrder ? "5000" : String(random.integer(1, 60)),
      ...(random.chance(0.8) && { direction: random.one(["forward", "backward", "FORWARD"]) }),
      ...(interval !== undefined && { interval }),
    };
    const headers = random.chance(0.4) ? { "x-loki-response-encoding-flags": "categorize-labels" } : {};
    return { path: "query_range", parameters, headers: headers as Record<string, string> };
  }

  #steps(): Way {
    const random = this.#random;
    const [from, to] = [this.#moment(), this.#moment()].sort((a, b) => a - b) as [number, number];
    const step = random.one(["10s", "30", "7.5", "1m", "137s", "1m30s", undefined]);
    return {
      path: "query_range",
      parameters: { start: this.#time(from), end: this.#time(to + 1_000), ...(step !== undefined && { step }) },
      headers: {},
    };
  }

  /** Milliseconds after the beginning. */
  #moment(): number {
    return this.#random.chance(0.5) ? this.#random.integer(0, 60) * 10_000 : this.#random.integer(0, RECORDS_MS);
  }

  #time(atMs: number): string {
    const random = this.#random;
    const ms = this.#startMs + atMs;
    switch (random.weighted({ ns: 6, odd: 2, rfc: 1, float: 1 })) {
      case "ns":
        return String(BigInt(ms) * NS_PER_MS);
      case "odd":
        return String(BigInt(ms) * NS_PER_MS + BigInt(random.integer(1, 999_999)));
      case "rfc":
        return new Date(ms).toISOString();
      case "float":
        return (ms / 1_000).toFixed(3);
    }
  }
}
