import type { LogCountGroup, LogCountRequest } from "@sightline/model/log-store.ts";

/** Groups times buckets; more would take longer to hand out than the records. */
const MAX_CELLS = 1_000_000;

/** Counts of one group by bucket. */
export class CountGroup {
  readonly values: readonly string[];
  readonly #cells = new Map<number, { count: number; bytes: number }>();

  constructor(values: readonly string[]) {
    this.values = values;
  }

  get size(): number {
    return this.#cells.size;
  }

  add(bucket: number, count: number, bytes: number): void {
    const cell = this.#cells.get(bucket);
    if (!cell) this.#cells.set(bucket, { count, bytes });
    else {
      cell.count += count;
      cell.bytes += bytes;
    }
  }

  finish(withBytes: boolean): LogCountGroup {
    const buckets = Float64Array.from(this.#cells.keys()).sort();
    const cells = Array.from(buckets, (bucket) => this.#cells.get(bucket) as { count: number; bytes: number });
    return {
      values: this.values,
      buckets,
      counts: Float64Array.from(cells, ({ count }) => count),
      bytes: withBytes ? Float64Array.from(cells, ({ bytes }) => bytes) : undefined,
    };
  }
}

/** All counts of a request, however many places they come from. */
export class CountGroups {
  readonly #request: Pick<LogCountRequest, "maxGroups" | "withBytes">;
  readonly #groups = new Map<string, CountGroup>();
  #cells = 0;

  constructor(request: Pick<LogCountRequest, "maxGroups" | "withBytes">) {
    this.#request = request;
  }

  /** False when that makes more groups than are wanted. */
  add(values: readonly string[], bucket: number, count: number, bytes: number): boolean {
    let key = "";
    for (const value of values) key += `${value.length}:${value}`;
    let group = this.#groups.get(key);
    if (!group) {
      group = new CountGroup(values);
      this.#groups.set(key, group);
    }
    const before = group.size;
    group.add(bucket, count, bytes);
    this.#cells += group.size - before;
    return this.#groups.size <= this.#request.maxGroups && this.#cells <= MAX_CELLS;
  }

  finish(): readonly LogCountGroup[] {
    return [...this.#groups.values()].map((group) => group.finish(this.#request.withBytes));
  }
}
