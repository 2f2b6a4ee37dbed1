import type { Lease, Leases } from "./shared-state.ts";

/** Leases of one process that shares with nobody. */
export class LocalLeases implements Leases {
  readonly #nowMs: () => number;
  readonly #held = new Map<string, { readonly token: number; untilMs: number }>();
  #lastToken = 0;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | undefined> {
    const held = this.#held.get(name);
    if (held && held.untilMs > this.#nowMs()) return undefined;
    const token = ++this.#lastToken;
    this.#held.set(name, { token, untilMs: this.#nowMs() + ttlMs });
    return { name, token };
  }

  async renew({ name, token }: Lease, ttlMs: number): Promise<boolean> {
    const held = this.#held.get(name);
    if (held?.token !== token || held.untilMs <= this.#nowMs()) return false;
    held.untilMs = this.#nowMs() + ttlMs;
    return true;
  }

  async release({ name, token }: Lease): Promise<void> {
    if (this.#held.get(name)?.token === token) this.#held.delete(name);
  }
}
