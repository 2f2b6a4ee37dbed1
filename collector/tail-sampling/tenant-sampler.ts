import type { TenantId } from "@sightline/model/tenant.ts";
import { DecidedTraces, type Verdict } from "./decided-traces.ts";
import { type HeldRow, HeldTraces } from "./held-traces.ts";
import type { SharedVerdicts } from "./shared-verdicts.ts";
import type { TailDecision } from "./tail-decision.ts";
import { TailPolicy } from "./tail-policy.ts";
import type { TailSamplingConfig } from "./tail-sampling-config.ts";

/** In one record of the log. */
const MAX_TRACES = 5_000;
const NO_POLICY: Verdict = { policy: "", ratio: 1 };

/** The waiting spans of one tenant, and what its policies say of them. */
export class TenantSampler {
  readonly held = new HeldTraces();
  readonly #decided = new DecidedTraces();
  #policies: readonly TailPolicy[] = [];
  #config: TailSamplingConfig | undefined;
  /** Traces that wait for other collectors, until when. Each is held. */
  readonly #postponed = new Map<string, number>();
  #isHurried = false;

  /** undefined: whatever still waits is kept. A policy that is the same goes on with what its rate has seen. */
  configure(config: TailSamplingConfig | undefined): void {
    if (config === this.#config) return;
    const known = new Map(this.#policies.map((policy) => [JSON.stringify(policy.config), policy]));
    this.#policies = (config?.policies ?? []).map((one) => known.get(JSON.stringify(one)) ?? new TailPolicy(one));
    this.#config = config;
  }

  /** Everything that waits now is due. */
  hurry(): void {
    this.#isHurried = true;
  }

  /**
   * Decides about traces that are due: they have waited long enough, or too much waits, or it was decided about them
   * before. undefined when none is. They stay until {@link take}; `unannounce` gives them back.
   */
  decide(nowMs: number, clockMs: number): TailDecision | undefined {
    const dueMs = this.#isHurried ? Infinity : nowMs - (this.#config?.decision_wait_ms ?? 0);
    const room = this.#isHurried ? 0 : (this.#config?.max_held_spans ?? 0);
    let waiting = this.held.spans;
    const verdicts = new Map<string, Verdict>();
    for (const [traceId, trace] of this.held.entries()) {
      if (verdicts.size === MAX_TRACES) break;
      const postponedMs = this.#isHurried || waiting > room ? undefined : this.#postponed.get(traceId);
      const isDue =
        postponedMs === undefined
          ? trace.sinceMs <= dueMs || waiting > room || this.#decided.has(traceId)
          : postponedMs <= nowMs;
      if (!trace.isAnnounced && isDue) {
        verdicts.set(traceId, this.#verdictOf(traceId, clockMs));
        trace.isAnnounced = true;
      }
      if (trace.isAnnounced) waiting -= trace.rows.length;
    }
    if (verdicts.size < MAX_TRACES) this.#isHurried = false;
    return verdicts.size === 0 ? undefined : toDecision(verdicts);
  }

  /**
   * What is to become of a decision of {@link decide} when other collectors have spans of the same traces: what one keeps all keep.
   * Traces to drop are asked about and, once, given some more time to be kept by somebody else. May be empty.
   */
  async agree(decision: TailDecision, tenant: TenantId, shared: SharedVerdicts, nowMs: number): Promise<TailDecision> {
    const verdicts = new Map<string, Verdict>();
    const asked = decision.dropped.map(async (traceId) => {
      const kept = await shared.keptBy(tenant, traceId);
      if (kept === undefined && this.#mayWait(traceId, nowMs)) this.#unannounceOne(traceId);
      else verdicts.set(traceId, kept);
    });
    const told = decision.kept.flatMap(({ policy, ratio, traces }) =>
      traces.map(async (traceId) => {
        verdicts.set(traceId, { policy, ratio });
        await shared.keep(tenant, traceId, { policy, ratio });
      }),
    );
    await Promise.all([...asked, ...told]);
    return toDecision(verdicts);
  }

  /** Once for each trace, unless there is no time or room. */
  #mayWait(traceId: string, nowMs: number): boolean {
    const { agreement_wait_ms: waitMs = 0, max_held_spans: room = 0 } = this.#config ?? {};
    const isLate = this.#decided.has(traceId) || this.#postponed.has(traceId);
    if (waitMs === 0 || isLate || this.#isHurried || this.held.spans > room) return false;
    this.#postponed.set(traceId, nowMs + waitMs);
    return true;
  }

  #unannounceOne(traceId: string): void {
    const trace = this.held.get(traceId);
    if (trace) trace.isAnnounced = false;
  }

  unannounce(decision: TailDecision): void {
    for (const traceId of tracesOf(decision)) this.#unannounceOne(traceId);
  }

  /** The spans of a trace that wait, of requests before a position. */
  rowsOf(traceId: string, before: number): readonly HeldRow[] {
    return this.held.get(traceId)?.rows.filter(({ request }) => request.position < before) ?? [];
  }

  /** The decision at this position holds now: late spans go the same way. */
  settle(decision: TailDecision, position: number): void {
    for (const { policy, ratio, traces } of decision.kept) {
      for (const traceId of traces) this.#decided.set(traceId, { policy, ratio });
    }
    for (const traceId of decision.dropped) this.#decided.set(traceId, undefined);
    for (const traceId of tracesOf(decision)) {
      this.held.remove(traceId, position);
      this.#postponed.delete(traceId);
    }
  }

  #verdictOf(traceId: string, clockMs: number): Verdict {
    if (this.#decided.has(traceId)) return this.#decided.get(traceId);
    const trace = this.held.get(traceId);
    if (!trace || this.#policies.length === 0) return NO_POLICY;
    const policy = this.#policies.find((one) => one.holdsFor(traceId, trace, clockMs));
    if (!policy || policy.config.action === "drop") return undefined;
    return { policy: policy.config.name, ratio: policy.config.ratio };
  }
}

export function tracesOf({ kept, dropped }: TailDecision): readonly string[] {
  return [...kept.flatMap(({ traces }) => traces), ...dropped];
}

function toDecision(verdicts: ReadonlyMap<string, Verdict>): TailDecision {
  const kept = new Map<string, { policy: string; ratio: number; traces: string[] }>();
  const dropped: string[] = [];
  for (const [traceId, verdict] of verdicts) {
    if (!verdict) {
      dropped.push(traceId);
      continue;
    }
    const key = JSON.stringify(verdict);
    const group = kept.get(key) ?? { ...verdict, traces: [] };
    group.traces.push(traceId);
    kept.set(key, group);
  }
  return { kept: [...kept.values()], dropped };
}
