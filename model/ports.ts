/**
 * The central interfaces: what starts and stops, what takes requests in, what keeps them. Those of each signal stand beside:
 * metric-store.ts, log-store.ts, trace-store.ts; shared-state.ts, access.ts, audit-log.ts, rules.ts for the rest. Whoever
 * implements one is named only in `server/app.ts`; everybody else knows just these. Where a contract is not written here it
 * does not hold.
 */
import type { MetricBatch } from "./metric-batch.ts";
import type { TenantId } from "./tenant.ts";

/** Started in dependency order, stopped in reverse. `stop` is safe without `start`, idempotent, and flushes. */
export interface Component {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Decodes one wire protocol and hands requests to an {@link Ingest}. Answers the client only after it settles. */
export interface Receiver extends Component {
  /** `host:port` it listens on, known after `start`. */
  readonly address: string;
}

export type Signal = "metrics" | "logs" | "traces";

/**
 * Takes batches in. `append` applies its batch in the order of the calls and settles once queries see it. It need not
 * be durable yet: until then the caller's write-ahead log keeps the request and gives it again after a crash.
 *
 * `position` is the request's place in that log; positions ascend from call to call, across tenants. A batch whose
 * position the store has already made durable is ignored (`accepted` counts it): so a replay doubles nothing.
 *
 * The batch belongs to the writer after the call, except for the `series` table of a {@link MetricBatch}.
 * Throws `UnavailableError` when the same call may succeed later; anything else will fail again (dead letter).
 */
export interface Writer<Batch> {
  append(tenant: TenantId, batch: Batch, position: number): Promise<AppendResult>;
}

/** Refused rows are values, not exceptions: the others have been kept. Counts are of items (samples, records, spans). */
export type AppendResult = { readonly accepted: number; readonly rejected: readonly Rejection[] };
export type RejectionReason =
  | "out_of_order"
  | "duplicate"
  | "too_old"
  | "too_new"
  | "limit"
  | "invalid"
  // Limits of the tenant.
  | "label_limit"
  | "attribute_limit"
  | "body_limit"
  | "series_limit"
  | "trace_limit"
  | "rate_limit"
  | "request_size";
/** `message` says for one of the refused rows what was wrong, naming it and the fix. */
export type Rejection = { readonly reason: RejectionReason; readonly count: number; readonly message: string };

export interface Store<Batch> extends Component, Writer<Batch> {
  /**
   * The lowest position whose batch the store could still lose, undefined when there is none. The log keeps records
   * from there on. Never decreases except from undefined.
   */
  firstUnflushedPosition(): number | undefined;
  /** Makes everything appended before the call durable. */
  flush(): Promise<void>;
  /**
   * Undefined while there is room for more; else why there will soon be none, naming the setting. What is appended all the
   * same is taken as long as it fits: senders are better told before their requests are logged.
   */
  fullness?(): string | undefined;
}

/** What can be copied while it runs. */
export interface Copyable {
  /**
   * Makes a durable copy of everything that was appended before the call, of all tenants, in a directory that is not there
   * yet (of a catalog: a file). One of the same kind can be started on it, with an empty log before it.
   */
  copyTo(path: string): Promise<void>;
}

/** A database or the like that the process talks to, and that may be away. */
export interface Dependency {
  /** What it is and where it is, without any secret: `PostgreSQL db.example.org:5432`. */
  readonly name: string;
  /** What it is for, such as `metrics`. */
  readonly purpose: string;
  /** Settles once it has answered; throws what is wrong. Nobody calls it again before that. */
  ping(): Promise<void>;
}
