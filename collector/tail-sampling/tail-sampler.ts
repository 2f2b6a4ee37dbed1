import { UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { AppendResult, Store } from "@sightline/model/ports.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { Counter, Gauge, type Registry } from "prom-client";
import { BoundedLabel } from "../bounded-label.ts";
import { EditableColumns } from "../processors/editable-columns.ts";
import { gatherSpans } from "./gather-spans.ts";
import type { HeldRow } from "./held-traces.ts";
import type { SharedVerdicts } from "./shared-verdicts.ts";
import { encodeTailDecision, type TailDecision } from "./tail-decision.ts";
import type { TailSamplingConfig } from "./tail-sampling-config.ts";
import { TenantSampler } from "./tenant-sampler.ts";
import type { TraceWork } from "./trace-work.ts";

export type TailSamplerOptions = {
  readonly store: Store<SpanBatch>;
  readonly configOf: (tenant: TenantId) => TailSamplingConfig | undefined;
  /** Of collectors that have spans of the same traces; absent: there are none. */
  readonly verdicts?: SharedVerdicts | undefined;
  /** Writes a decision to the log and hands it over in the order of positions: it comes back by `append`. */
  readonly announce: (tenant: TenantId, body: Uint8Array) => Promise<void>;
  readonly logger: Logger;
  readonly registry: Registry;
};

const TICK_MS = 100;
/** That a span takes while it waits, with its attributes: about, as they come. */
const HELD_SPAN_BYTES = 1_000;
const MAX_TENANT_LABELS = 200;
const POLICY_ATTRIBUTE = "sightline.sampling.policy";
const RATIO_ATTRIBUTE = "sightline.sampling.ratio";

/**
 * A trace store before which spans wait until it is decided about their trace. What waits is in memory and in the
 * write-ahead log; so are the decisions, which therefore are the same when the log is replayed, and what is given to
 * the store has the position of the decision. Nothing acknowledged is lost or doubled by a crash.
 */
export class TailSampler implements Store<TraceWork> {
  readonly #options: TailSamplerOptions;
  readonly #tenants = new Map<TenantId, TenantSampler>();
  /** Decisions that the store has taken and may still lose, by position; with the lowest position they are made of. */
  readonly #unflushed = new Map<number, number>();
  readonly #metrics: SamplerMetrics;
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;

  constructor(options: TailSamplerOptions) {
    this.#options = options;
    this.#metrics = new SamplerMetrics(options.registry, () => this.#heldSpans());
  }

  get name(): string {
    return this.#options.store.name;
  }

  /** Begins to decide; the store is started by its owner, and the log has been replayed. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#tickInBackground(), TICK_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#ticking;
  }

  async append(tenant: TenantId, work: TraceWork, position: number): Promise<AppendResult> {
    if (work.kind === "store") return this.#options.store.append(tenant, work.batch, position);
    if (work.kind === "decide") return this.#apply(tenant, work.decision, position);
    const sampler = this.#tenants.get(tenant) ?? new TenantSampler();
    this.#tenants.set(tenant, sampler);
    sampler.held.add(work.batch, position, work.receivedAtMs);
    return { accepted: work.batch.length, rejected: [] };
  }

  firstUnflushedPosition(): number | undefined {
    const ofStore = this.#options.store.firstUnflushedPosition();
    let lowest = ofStore ?? Infinity;
    for (const [position, from] of this.#unflushed) {
      if (position < (ofStore ?? Infinity)) this.#unflushed.delete(position);
      else lowest = Math.min(lowest, from);
    }
    for (const { held } of this.#tenants.values()) lowest = Math.min(lowest, held.firstPosition ?? Infinity);
    return lowest === Infinity ? undefined : lowest;
  }

  /** What waits is decided soon after. It is in the log until then. */
  async flush(): Promise<void> {
    this.#hurry();
    await this.#options.store.flush();
  }

  #hurry(): void {
    for (const sampler of this.#tenants.values()) sampler.hurry();
  }

  /** When memory is short traces are decided earlier than `decision_wait_ms` says. */
  readonly memoryPart: MemoryPart = {
    name: "held_traces",
    memoryBytes: () => HELD_SPAN_BYTES * this.#heldSpans(),
    flush: async () => this.#hurry(),
  };

  async #apply(tenant: TenantId, decision: TailDecision, position: number): Promise<AppendResult> {
    const sampler = this.#tenants.get(tenant);
    if (!sampler) return { accepted: 0, rejected: [] };
    const rows: HeldRow[] = [];
    const marks: { readonly policy: string; readonly ratio: number }[] = [];
    for (const { policy, ratio, traces } of decision.kept) {
      for (const traceId of traces) {
        for (const row of sampler.rowsOf(traceId, position)) {
          rows.push(row);
          marks.push({ policy, ratio });
        }
      }
    }
    const refused = rows.length > 0 ? await this.#store(tenant, mark(gatherSpans(rows), marks), position) : 0;
    // They wait until the store has them: when it was not available the same decision comes again.
    const from = rows.reduce((lowest, { request }) => Math.min(lowest, request.position), Infinity);
    if (rows.length > 0) this.#unflushed.set(position, from);
    const dropped = decision.dropped.reduce((sum, traceId) => sum + sampler.rowsOf(traceId, position).length, 0);
    sampler.settle(decision, position);
    this.#metrics.decided(tenant, decision, { keep: rows.length - refused, drop: dropped, refused });
    return { accepted: 0, rejected: [] };
  }

  /** Gives how many spans were refused for good. Throws `UnavailableError` when the store may take them later. */
  async #store(tenant: TenantId, batch: SpanBatch, position: number): Promise<number> {
    try {
      const { rejected } = await this.#options.store.append(tenant, batch, position);
      return rejected.reduce((sum, { count }) => sum + count, 0);
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      this.#options.logger.error("spans that were kept by tail sampling were refused by their store", {
        tenant,
        spans: batch.length,
        error,
      });
      return batch.length;
    }
  }

  #tickInBackground(): void {
    this.#ticking ??= this.#tick()
      .catch((error: unknown) => this.#options.logger.error("tail sampling could not write its decisions", { error }))
      .finally(() => {
        this.#ticking = undefined;
      });
  }

  async #tick(): Promise<void> {
    for (const [tenant, sampler] of this.#tenants) {
      sampler.configure(this.#options.configOf(tenant));
      for (let decision = sampler.decide(Date.now(), performance.now()); decision; ) {
        await this.#announce(tenant, sampler, decision);
        decision = sampler.decide(Date.now(), performance.now());
      }
      if (sampler.held.spans === 0 && !this.#options.configOf(tenant)) this.#tenants.delete(tenant);
    }
  }

  async #announce(tenant: TenantId, sampler: TenantSampler, own: TailDecision): Promise<void> {
    const { verdicts, announce } = this.#options;
    try {
      const decision = verdicts ? await sampler.agree(own, tenant, verdicts, Date.now()) : own;
      if (decision.kept.length + decision.dropped.length > 0) await announce(tenant, encodeTailDecision(decision));
    } catch (error) {
      sampler.unannounce(own);
      throw error;
    }
  }

  #heldSpans(): number {
    let spans = 0;
    for (const { held } of this.#tenants.values()) spans += held.spans;
    return spans;
  }
}

/** Says which policy kept each span, and the ratio to scale counts by when it keeps only a part. */
function mark(batch: SpanBatch, marks: readonly { readonly policy: string; readonly ratio: number }[]): SpanBatch {
  const columns = new EditableColumns(batch.attributes, batch.length);
  for (const [row, { policy, ratio }] of marks.entries()) {
    if (policy === "") continue;
    columns.set(POLICY_ATTRIBUTE, row, { type: "string", value: policy });
    if (ratio < 1) columns.set(RATIO_ATTRIBUTE, row, { type: "double", value: String(ratio) });
  }
  return { ...batch, attributes: columns.build() };
}

class SamplerMetrics {
  readonly #traces: Counter<"tenant" | "policy" | "decision">;
  readonly #spans: Counter<"tenant" | "decision">;
  readonly #tenants = new BoundedLabel(MAX_TENANT_LABELS);
  readonly #policies = new BoundedLabel(MAX_TENANT_LABELS);

  constructor(registry: Registry, heldSpans: () => number) {
    const registers = [registry];
    this.#traces = new Counter({
      name: "sightline_tail_sampling_traces_total",
      help: "Traces about which it was decided, by the policy that kept them (none: dropped)",
      labelNames: ["tenant", "policy", "decision"],
      registers,
    });
    this.#spans = new Counter({
      name: "sightline_tail_sampling_spans_total",
      help: "Spans about whose trace it was decided",
      labelNames: ["tenant", "decision"],
      registers,
    });
    new Gauge({
      name: "sightline_tail_sampling_held_spans",
      help: "Spans that wait for the decision about their trace",
      registers,
      collect() {
        this.set(heldSpans());
      },
    });
  }

  decided(
    id: TenantId,
    { kept, dropped }: TailDecision,
    spans: { readonly keep: number; readonly drop: number; readonly refused: number },
  ): void {
    const tenant = this.#tenants.of(id);
    for (const { policy, traces } of kept) {
      this.#traces.inc({ tenant, policy: this.#policies.of(policy), decision: "keep" }, traces.length);
    }
    this.#traces.inc({ tenant, policy: "", decision: "drop" }, dropped.length);
    for (const decision of ["keep", "drop", "refused"] as const) this.#spans.inc({ tenant, decision }, spans[decision]);
  }
}
