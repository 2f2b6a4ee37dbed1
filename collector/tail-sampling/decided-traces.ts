/** A policy that keeps; undefined: dropped. */
export type Verdict = { readonly policy: string; readonly ratio: number } | undefined;

const MAX_TRACES = 200_000;

/** What was decided lately, for spans that come late. Those longest not asked for are forgotten. */
export class DecidedTraces {
  // Two generations, each half as large: a trace that is asked for moves to the younger one.
  #young = new Map<string, Verdict>();
  #old = new Map<string, Verdict>();

  has(traceId: string): boolean {
    return this.#young.has(traceId) || this.#old.has(traceId);
  }

  get(traceId: string): Verdict {
    const verdict = this.#young.has(traceId) ? this.#young.get(traceId) : this.#old.get(traceId);
    this.set(traceId, verdict);
    return verdict;
  }

  set(traceId: string, verdict: Verdict): void {
    this.#young.set(traceId, verdict);
    if (this.#young.size > MAX_TRACES / 2) [this.#young, this.#old] = [new Map(), this.#young];
  }
}
