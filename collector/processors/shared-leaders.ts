import type { Candidacy, SharedLimits } from "@sightline/model/shared-state.ts";

export type Pair = { readonly cluster: string; readonly replica: string };

export type SharedLeadersOptions = {
  readonly limits: SharedLimits;
  /** Names the elections: those of others have another one. */
  readonly name: string;
  /** Who is elected stays so for so long after their last samples. */
  readonly failoverMs: number;
  readonly maxClusters: number;
  /** A clock of this process, for tests. */
  readonly nowMs?: () => number;
};

type Known = {
  readonly replica: string;
  /** Nobody asks again before that. */
  readonly trustedUntilMs: number;
  /** Others know by then that its samples have come here. */
  readonly reportedUntilMs: number;
  readonly electedUntilMs: number;
};

/** Much shorter than the time to fail over: what is known is still so in every other process then. */
const MAX_TRUST_MS = 1_000;

/** Which replica of a cluster all collectors listen to, as far as they can be asked. */
export class SharedLeaders {
  readonly #options: SharedLeadersOptions;
  readonly #trustMs: number;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Known>();

  constructor(options: SharedLeadersOptions) {
    this.#options = options;
    this.#trustMs = Math.min(MAX_TRUST_MS, options.failoverMs / 3);
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Undefined when all that has to be known of replicas that have sent something is. Never rejects. */
  learn(senders: readonly Pair[]): Promise<void> | undefined {
    const nowMs = this.#nowMs();
    const unsure = senders.filter((pair) => this.#hasToAsk(pair, nowMs));
    return unsure.length === 0 ? undefined : this.#ask(unsure, nowMs);
  }

  /** Undefined: nobody could be asked lately. */
  leaderOf(cluster: string): { readonly replica: string; readonly leftMs: number } | undefined {
    const known = this.#known.get(cluster);
    const nowMs = this.#nowMs();
    if (!known || nowMs > known.electedUntilMs || nowMs > known.trustedUntilMs + this.#trustMs) return undefined;
    return { replica: known.replica, leftMs: known.electedUntilMs - nowMs };
  }

  #hasToAsk({ cluster, replica }: Pair, nowMs: number): boolean {
    const known = this.#known.get(cluster);
    if (!known) return this.#known.size < this.#options.maxClusters;
    return nowMs > (known.replica === replica ? known.reportedUntilMs : known.trustedUntilMs);
  }

  async #ask(senders: readonly Pair[], nowMs: number): Promise<void> {
    const { limits, failoverMs, name } = this.#options;
    const candidacies = senders.map(({ cluster, replica }): Candidacy => {
      const known = this.#known.get(cluster);
      return {
        office: `${name}\u0000${cluster}`,
        candidate: replica,
        ttlMs: failoverMs,
        incumbent: known && { name: known.replica, ttlMs: known.electedUntilMs - nowMs },
      };
    });
    const elected = await limits.elect(candidacies).catch(() => []);
    for (const [i, { name: leader, ttlMs }] of elected.entries()) {
      const { cluster, replica } = senders[i] as Pair;
      const known = this.#known.get(cluster);
      const reported = known?.replica === leader ? known.reportedUntilMs : 0;
      this.#known.set(cluster, {
        replica: leader,
        trustedUntilMs: nowMs + this.#trustMs,
        reportedUntilMs: leader === replica ? nowMs + this.#trustMs : reported,
        electedUntilMs: nowMs + ttlMs,
      });
    }
  }
}
