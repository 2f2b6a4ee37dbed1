/**
 * Start times of the ascending samples of many series. They rarely change, so per series only the changes are kept:
 * from its nth sample on, this start time.
 */
export class StartRuns {
  readonly #bySeries = new Map<number, { readonly ordinals: number[]; readonly startsMs: number[] }>();
  #newest = new Float64Array(0);

  /** Notes the start time (0: unknown) of the series' sample number `ordinal`; ordinals ascend. */
  append(series: number, ordinal: number, startMs: number): void {
    if (series >= this.#newest.length) {
      const larger = new Float64Array(Math.max(1024, series * 2));
      larger.set(this.#newest);
      this.#newest = larger;
    }
    if (this.#newest[series] === startMs) return;
    this.#newest[series] = startMs;
    let runs = this.#bySeries.get(series);
    if (!runs) {
      runs = { ordinals: [], startsMs: [] };
      this.#bySeries.set(series, runs);
    }
    runs.ordinals.push(ordinal);
    runs.startsMs.push(startMs);
  }

  /** Start times of the samples from `ordinal` on; undefined when the series has none. */
  read(series: number, ordinal: number, count: number): Float64Array | undefined {
    const runs = this.#bySeries.get(series);
    if (!runs) return undefined;
    const starts = new Float64Array(count);
    for (let i = 0; i < runs.ordinals.length; i++) {
      const from = Math.max(0, (runs.ordinals[i] as number) - ordinal);
      const to = Math.min(count, (runs.ordinals[i + 1] ?? Number.POSITIVE_INFINITY) - ordinal);
      if (from < to) starts.fill(runs.startsMs[i] as number, from, to);
    }
    return starts;
  }
}
