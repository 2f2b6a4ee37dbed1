/** Beyond so many addresses with recent failures the oldest is forgotten. */
const MAX_PEERS = 10_000;
const MINUTE_MS = 60_000;

type Bucket = { tokens: number; atMs: number };

/** A token bucket of failures per client address, in bounded memory. */
export class FailureThrottle {
  readonly #perMinute: number;
  /** In the order of their last failure. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Notes a failure. Returns for how many ms the address should wait, 0 while it is within its rate. */
  failed(peer: string, nowMs: number): number {
    const { tokens, atMs } = this.#buckets.get(peer) ?? { tokens: this.#perMinute, atMs: nowMs };
    const refilled = Math.min(this.#perMinute, tokens + (Math.max(0, nowMs - atMs) * this.#perMinute) / MINUTE_MS);
    const isWithin = refilled >= 1;
    this.#buckets.delete(peer);
    this.#buckets.set(peer, { tokens: isWithin ? refilled - 1 : refilled, atMs: nowMs });
    if (this.#buckets.size > MAX_PEERS) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return isWithin ? 0 : Math.ceil(((1 - refilled) * MINUTE_MS) / this.#perMinute);
  }

  get size(): number {
    return this.#buckets.size;
  }
}
