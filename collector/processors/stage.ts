import type { Rejection, RejectionReason } from "@sightline/model/ports.ts";
import type { TextSealer } from "@sightline/model/sealed-text.ts";
import type { SharedLimits } from "@sightline/model/shared-state.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { Steps } from "./steps.ts";

/** What a processor is made for. */
export type ProcessorContext = {
  readonly tenant: TenantId;
  /** Bounds what it remembers of series. */
  readonly maxSeries: number;
  /** Absent: no key is set, and nothing can be encrypted. */
  readonly sealer?: TextSealer | undefined;
  /** Absent: there are no other collectors to agree with. */
  readonly sharedLimits?: SharedLimits | undefined;
};

/**
 * One step between decoder and store. Stages run in order; each gets the batch the one before gave, owns it, and may
 * write to its arrays (not to a shared `series` table).
 *
 * What a stage makes of a batch must depend on nothing but the batch, the time of receipt and its settings, because a
 * request is processed again when the log is replayed. A stage that needs more (what came before) has `decide`.
 *
 * One that looks at texts row by row works in steps: with 16 MiB it would hold the event loop for some tenths of a second.
 */
export interface Stage<Batch> {
  /** The kind of the processor, or the group of limits: label of its metrics. */
  readonly name: string;
  /**
   * Decides about rows by what came before; called once per request, in the order of the log. The answer is written to
   * the log and given to `apply`, now and on every replay. undefined when nothing is out of the ordinary. It may ask other
   * processes: no other request of the tenant is decided about meanwhile.
   */
  decide?(batch: Batch, receivedAtMs: number): Uint8Array | undefined | Steps<Uint8Array | undefined>;
  apply(batch: Batch, decision: Uint8Array | undefined, pass: Pass): Batch | Steps<Batch>;
  /** Before `apply` on a replay: takes in what `decide` remembered of the request, so that it decides as before. */
  remember?(batch: Batch, decision: Uint8Array | undefined, receivedAtMs: number): void;
}

/** One request's way through the stages: when it came, and what became of its rows. */
export class Pass {
  readonly receivedAtMs: number;
  /** Rows that were refused by a limit; their sender is told. */
  readonly rejected: Rejection[] = [];
  /** Rows that a processor left out as it was told to, by the stage's name. */
  readonly dropped = new Map<string, number>();

  /** Rows that live on in an overflow series only. */
  overflowed = 0;

  constructor(receivedAtMs: number) {
    this.receivedAtMs = receivedAtMs;
  }

  drop(stage: string, count: number): void {
    if (count > 0) this.dropped.set(stage, (this.dropped.get(stage) ?? 0) + count);
  }

  reject(reason: RejectionReason, count: number, message: string): void {
    if (count > 0) this.rejected.push({ reason, count, message });
  }

  /** Their sender is warned, which refuses nothing. */
  overflow(count: number, message: string): void {
    if (count <= 0) return;
    this.overflowed += count;
    this.rejected.push({ reason: "series_limit", count: 0, message: `${count} ${message}` });
  }
}
