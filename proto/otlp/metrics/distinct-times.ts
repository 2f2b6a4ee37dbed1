const START_CAPACITY = 1_024;

/**
 * OpenTelemetry counts time in nanoseconds, a series in milliseconds. Of several points of one series within the same
 * millisecond of one request, each later one moves on to the next free millisecond, so that none is lost. It depends on
 * the request alone: a retry and a replay give the same times. Points with equal nanoseconds are duplicates and stay so.
 */
export class DistinctTimes {
  #request = 0;
  /** By series reference: the request that had a point of it last, and this point's time as it came and as it was given. */
  #requests = new Uint32Array(START_CAPACITY);
  #cameMs = new Float64Array(START_CAPACITY);
  #cameRestNs = new Uint32Array(START_CAPACITY);
  #givenMs = new Float64Array(START_CAPACITY);

  startRequest(): void {
    this.#request++;
  }

  /** The time for a point of series `ref` that came with `timeMs` and `restNs`. */
  distinct(ref: number, timeMs: number, restNs: number): number {
    if (ref >= this.#requests.length) this.#grow(ref + 1);
    let givenMs = timeMs;
    if (this.#requests[ref] === this.#request) {
      const lastMs = this.#cameMs[ref] as number;
      const isLater = timeMs > lastMs || (timeMs === lastMs && restNs > (this.#cameRestNs[ref] as number));
      if (!isLater) return timeMs;
      givenMs = Math.max(timeMs, (this.#givenMs[ref] as number) + 1);
    }
    this.#requests[ref] = this.#request;
    this.#cameMs[ref] = timeMs;
    this.#cameRestNs[ref] = restNs;
    this.#givenMs[ref] = givenMs;
    return givenMs;
  }

  #grow(capacity: number): void {
    const length = Math.max(capacity, this.#requests.length * 2);
    const { buffer: requests } = this.#requests;
    const [cameMs, cameRestNs, givenMs] = [this.#cameMs, this.#cameRestNs, this.#givenMs];
    this.#requests = new Uint32Array(length);
    this.#requests.set(new Uint32Array(requests));
    this.#cameMs = new Float64Array(length);
    this.#cameMs.set(cameMs);
    this.#cameRestNs = new Uint32Array(length);
    this.#cameRestNs.set(cameRestNs);
    this.#givenMs = new Float64Array(length);
    this.#givenMs.set(givenMs);
  }
}
