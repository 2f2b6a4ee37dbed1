import type { LogCountGroup, LogCountRequest } from "@sightline/model/log-store.ts";

/** Groups times buckets; more would take longer to hand out than the records. */
const MAX_CELLS = 500_000;

type Cell = { count: number; bytes: number };

/** Counts of a request, wherever they come from. */
export class CountGroups {
  readonly #request: Pick<LogCountRequest, "maxGroups" | "withBytes">;
  readonly #groups = new Map<string, { readonly values: readonly string[]; readonly cells: Map<number, Cell> }>();
  #cells = 0;

  constructor(request: Pick<LogCountRequest, "maxGroups" | "withBytes">) {
    this.#request = request;
  }

  /** False when that makes more groups than are wanted. */
  add(values: readonly string[], bucket: number, count: number, bytes: number): boolean {
    const key = JSON.stringify(values);
    let group = this.#groups.get(key);
    if (!group) {
      group = { values, cells: new Map() };
      this.#groups.set(key, group);
    }
    const cell = group.cells.get(bucket);
    if (cell) {
      cell.count += count;
      cell.bytes += bytes;
    } else {
      group.cells.set(bucket, { count, bytes });
      this.#cells++;
    }
    return this.#groups.size <= this.#request.maxGroups && this.#cells <= MAX_CELLS;
  }

  finish(): readonly LogCountGroup[] {
    return [...this.#groups.values()].map(({ values, cells }) => {
      const buckets = Float64Array.from(cells.keys()).sort();
      const sorted = Array.from(buckets, (bucket) => cells.get(bucket) as Cell);
      return {
        values,
        buckets,
        counts: Float64Array.from(sorted, ({ count }) => count),
        bytes: this.#request.withBytes ? Float64Array.from(sorted, ({ bytes }) => bytes) : undefined,
      };
    });
  }
}
