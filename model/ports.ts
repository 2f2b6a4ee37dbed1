/**
 * The central interfaces. Whoever implements one is named only in `server/app.ts`; everybody else knows just these.
 * Where a contract is not written here it does not hold.
 */
import type { Attributes } from "./attributes.ts";
import type { NativeHistogram } from "./histogram.ts";
import type { Labels } from "./labels.ts";
import type { LogBatch, LogStream } from "./log-batch.ts";
import type { Matcher } from "./matcher.ts";
import type { ExemplarSample, MetricBatch, MetricMetadata, SeriesInfo } from "./metric-batch.ts";
import type { SpanBatch } from "./span-batch.ts";
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

// ---- writing -------------------------------------------------------------------------------------------------------

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

// ---- what several processes share -------------------------------------------------------------------------------------

/** Keeps bytes for a while, for all processes. May forget whatever it likes, and never throws. */
export interface SharedCache {
  /** Larger values are not kept. */
  readonly maxBytes: number;
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, bytes: Uint8Array): Promise<void>;
}

/** What a process has taken from a token bucket since it last said so. */
export type UsedRate = {
  readonly bucket: string;
  readonly ratePerSecond: number;
  readonly burst: number;
  readonly amount: number;
};
/** Tokens that are left, below 0 for a debt, and how many processes take from the bucket. */
export type SharedRate = { readonly left: number; readonly sharers: number };
/** Token buckets from which several processes take. */
export interface SharedRates {
  /** In the order of `used`. Throws `UnavailableError`: then it may or may not have been counted. */
  exchange(used: readonly UsedRate[]): Promise<readonly SharedRate[]>;
}

/** The right to do something alone, for a while. Of two holders the later one has the higher token. */
export type Lease = { readonly name: string; readonly token: number };
/**
 * Leases between processes. A holder that is held up may believe in its lease for longer than others do: whoever writes something
 * under a lease should write its token along and refuse lower ones.
 */
export interface Leases {
  /** Undefined while somebody else, or this process itself, has it. Throws `UnavailableError`. */
  acquire(name: string, ttlMs: number): Promise<Lease | undefined>;
  /** False when it is lost. Throws `UnavailableError`: nobody knows then whether it is lost, until its time is over. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Of one that is lost: nothing happens. Throws `UnavailableError`. */
  release(lease: Lease): Promise<void>;
}

/** Processes that share some work. */
export interface Members {
  /** Says for a while that this process is one of them. Gives the ids of all, its own first. Throws `UnavailableError`. */
  announce(work: string, ttlMs: number): Promise<readonly string[]>;
  /** It is none of them any more. Throws `UnavailableError`. */
  leave(work: string): Promise<void>;
}

// ---- metrics -------------------------------------------------------------------------------------------------------

/** Both ends included, integral milliseconds. */
export type TimeRange = { readonly startMs: number; readonly endMs: number };

/** `matchers` is a conjunction; empty means everything of the tenant in the range. `limit` 0 or absent: no limit. */
export type LabelRequest = {
  readonly tenant: TenantId;
  readonly range: TimeRange;
  readonly matchers: readonly Matcher[];
  readonly limit?: number | undefined;
};
export type SeriesRequest = LabelRequest & {
  /** The series come in the order of their labels (`compareLabels`), over all groups; else in no order. */
  readonly sorted?: boolean | undefined;
  /** The values of a group may be overwritten once the next group is asked for. Times never are. */
  readonly transient?: boolean | undefined;
  readonly hints?: SelectHints | undefined;
};
/** What the samples are for. May be ignored; matchers and range may not. */
export type SelectHints = {
  readonly stepMs: number;
  readonly func: string;
  readonly rangeMs: number;
  /** Of each series only the newest sample in the range counts, and the newest histogram; older ones may be left out. */
  readonly newestOnly?: boolean | undefined;
  /**
   * `func` is given all samples of a range as they are, knows {@link SeriesSlice.counts}, and, when it is about the change
   * over a range, does not mind points between samples.
   */
  readonly aggregated?: boolean | undefined;
};

/** All the PromQL engine knows of storage. Every call stops soon after `signal` aborts, throwing its reason. */
export interface Queryable {
  /**
   * Yields groups of series, in no order unless the request asks for one. A series comes exactly once, with all its
   * samples in the range, ascending in time, one per timestamp (of several written, the first). Series without a sample
   * in the range are left out.
   */
  select(request: SeriesRequest, signal: AbortSignal): AsyncIterable<readonly SeriesSlice[]>;
  /** Label sets of the series that may have samples in the range (decided by block, not by sample), in no order. */
  series(request: LabelRequest, signal: AbortSignal): Promise<readonly Labels[]>;
  /**
   * Metadata of the families that may be meant by another name than the stored one: those that OpenTelemetry sent, and those
   * whose names need quotes. The same array until something changes, so that what is made of it can be kept. Absent: metrics
   * have no other names.
   */
  translatedMetrics?(tenant: TenantId): Promise<readonly MetricMetadata[]>;
  /** Sorted. */
  labelNames(request: LabelRequest, signal: AbortSignal): Promise<readonly string[]>;
  /** Sorted. */
  labelValues(name: string, request: LabelRequest, signal: AbortSignal): Promise<readonly string[]>;
}

/** Samples of one series. The arrays may be views of the store's own memory: read only. */
export type SeriesSlice = {
  readonly labels: Labels;
  readonly info: SeriesInfo;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  /** Start times beside `timesMs`, 0 where unknown; absent when none is known. */
  readonly startsMs?: Float64Array | undefined;
  /**
   * How many samples each of these stands for, where older ones were downsampled. Its time is that of the last of them; its
   * value is what `hints.func` makes of them: their sum, or the least, or the greatest (for avg_over_time: their sum; for
   * count_over_time it has no meaning). Only when the hints say `aggregated`; absent when each stands for itself.
   */
  readonly counts?: Float64Array | undefined;
  readonly histograms?: HistogramSlice | undefined;
};
export type HistogramSlice = {
  readonly timesMs: Float64Array;
  readonly values: readonly NativeHistogram[];
  readonly startsMs?: Float64Array | undefined;
};

/** Of a tenant's data. A number means nothing after a restart; a text is good for all processes that share a database. */
export type DataVersion = number | string;

/** Says what changed, so that what was made of the data can be kept. */
export interface DataChanges {
  /** Take it before reading: whatever is changed later counts as changed since. */
  version(tenant: TenantId): DataVersion | Promise<DataVersion>;
  /**
   * The parts of `range` in which samples may have come or gone since then, ascending and apart from each other. All of
   * it when something changed that bears on samples of any time, such as a temporality.
   */
  since(tenant: TenantId, version: DataVersion, range: TimeRange): readonly TimeRange[] | Promise<readonly TimeRange[]>;
}

export interface MetricStore extends Store<MetricBatch>, Queryable {
  /** Absent: nothing made of the data can be kept. */
  readonly changes?: DataChanges;
  /** Newest metadata per metric, all of them or that of `metric`. */
  metadata(tenant: TenantId, metric?: string): Promise<readonly MetricMetadata[]>;
  /** Exemplars of the matching series, ascending in time. */
  exemplars(request: LabelRequest, signal: AbortSignal): Promise<readonly SeriesExemplars[]>;
  /** Absent: this store can't. */
  readonly administration?: MetricAdministration;
}

/** What administrators may do to the samples of one tenant. */
export interface MetricAdministration {
  /**
   * Deletes the samples, floats and histograms, that the matching series have in the range, from every later read. Durable
   * when it settles. Samples written after the call count, whatever their time; of those written during it some may be
   * deleted. Exemplars and metadata stay, as in Prometheus. `changes` has the range. Throws `InvalidInputError` for a
   * regular expression that is none.
   */
  deleteSamples(request: Pick<LabelRequest, "tenant" | "range" | "matchers">): Promise<void>;
  /** Frees the space of all that was deleted before the call; else that happens some time later. */
  purgeDeleted(tenant: TenantId): Promise<void>;
  /**
   * Makes a durable copy of all that reads see now, exemplars and metadata included, in a directory that need not exist. A
   * store of the same kind can be started on it. With `skipMemory`, what has not been flushed is left out.
   */
  snapshot(tenant: TenantId, dir: string, options: { readonly skipMemory: boolean }): Promise<void>;
}
export type SeriesExemplars = { readonly labels: Labels; readonly exemplars: readonly Omit<ExemplarSample, "ref">[] };

// ---- deleting rows of logs and traces ------------------------------------------------------------------------------

/** Which rows are to go: those that were written before and meet all of this. */
export type RowDeletion = {
  readonly tenant: TenantId;
  /** Of the time of the record, or of the start of the span. */
  readonly range: TimeRangeNs;
  /** Of the index labels of a record's stream; ignored for spans. */
  readonly matchers: readonly Matcher[];
  /** Of a record's body; ignored for spans. */
  readonly line: readonly LineFilter[];
  /** Of attributes of the record or span or, where it lacks them, of its resource. */
  readonly attributes: readonly Matcher[];
  /** Says to people what was asked for. */
  readonly description: string;
};
export type Deletion = {
  readonly id: string;
  readonly description: string;
  readonly range: TimeRangeNs;
  readonly rows: number;
  readonly createdAtMs: number;
  /** From then on rows are removed from the files. */
  readonly removeAtMs: number;
  /** hidden: no query sees the rows, and it can be cancelled. removing: some are gone from the files. removed: all are. */
  readonly state: "hidden" | "removing" | "removed";
};

export interface DeletesRows {
  /** Durable, and no query sees the rows, once it settles. */
  deleteRows(request: RowDeletion, signal: AbortSignal): Promise<Deletion>;
  /** Of the tenant, newest first; those that are done are remembered for a while. */
  deletions(tenant: TenantId): Promise<readonly Deletion[]>;
  /** Queries see the rows again. False when there is no such deletion, or it is not `hidden` any more. */
  cancelDeletion(tenant: TenantId, id: string): Promise<boolean>;
}

// ---- logs ----------------------------------------------------------------------------------------------------------

/** Start included, end excluded, as in Loki's API. */
export type TimeRangeNs = { readonly startNs: bigint; readonly endNs: bigint };
export type StreamRequest = {
  readonly tenant: TenantId;
  readonly range: TimeRangeNs;
  /** Of the streams' index labels. */
  readonly matchers: readonly Matcher[];
};
export type LogRequest = StreamRequest & {
  /** A conjunction. `|~` and `!~` are RE2 and match somewhere in the body. */
  readonly line: readonly LineFilter[];
  readonly newestFirst: boolean;
  /** A store may stop after so many rows if it applied everything (`exact`). */
  readonly limit: number;
  /**
   * A conjunction. The engine checks it again whatever `exact` says, for there may be rows of which the store can't tell
   * (nested attributes): it gives those, and does not count them for the limit. A store without
   * {@link LogStore.appliesFields} ignores it, and must be given no limit beside it.
   */
  readonly fields?: readonly FieldFilter[] | undefined;
  /** What the caller leaves out of the rows later on in any case. May be ignored. */
  readonly hints?: readonly LineHint[] | undefined;
  /** The caller knows {@link LogBatch.load}: what it leaves out after a look at the line need not be read as a whole. */
  readonly deferred?: boolean | undefined;
};
/**
 * What a record must have as a label that Loki would know it by: a label of its stream, or else an attribute of the record,
 * its scope or resource, or `trace_id`, `span_id`, `severity_text` or `severity_number`. `name` is the label's name
 * (`http_status_code`): several attributes may have it. A record without the label has "". As in matchers a regular
 * expression matches the whole value. Without `op` the value must be equal.
 */
export type FieldFilter = {
  readonly name: string;
  readonly op?: Matcher["op"] | undefined;
  readonly value: string;
};
/**
 * Of records that do not have the label, as a {@link FieldFilter} knows it, those whose body `text` does not match anywhere need
 * not be given. RE2.
 */
export type LineHint = { readonly label: string; readonly text: string };
export type LineFilter = { readonly op: "|=" | "!=" | "|~" | "!~"; readonly text: string };
/**
 * Rows in the order of time asked for (equal times: in no order). Matchers and range are always applied; `exact` says
 * that line filters and limit were, too. Otherwise the rows are a superset and the engine re-checks.
 */
export type LogSelection = { readonly exact: boolean; readonly batches: AsyncIterable<LogBatch> };

export interface LogStore extends Store<LogBatch>, DeletesRows {
  /** See {@link LogRequest.fields}. */
  readonly appliesFields?: boolean;
  select(request: LogRequest, signal: AbortSignal): LogSelection;
  /** Streams that have records in the range. */
  streams(request: StreamRequest, signal: AbortSignal): Promise<readonly LogStream[]>;
  /**
   * Counts records without handing them out. Undefined when the store can't say exactly (a regular expression it does not
   * know, nested attributes), or there would be more than `maxGroups` groups: then they have to be read. Absent: always.
   */
  counts?(request: LogCountRequest, signal: AbortSignal): Promise<readonly LogCountGroup[] | undefined>;
}

/** Every record that `select` would give, without limit, and that meets `fields`. */
export type LogCountRequest = StreamRequest & {
  readonly line: readonly LineFilter[];
  readonly fields?: readonly FieldFilter[] | undefined;
  /** Names of labels as a {@link FieldFilter} has them. */
  readonly by: readonly string[];
  /** Positive. Bucket k is from range.startNs + k * bucketNs, included, to the beginning of the next or the range's end. */
  readonly bucketNs: bigint;
  /** Says whether {@link LogCountGroup.bytes} are wanted; they cost more than the counts. */
  readonly withBytes: boolean;
  readonly maxGroups: number;
};
/** Records that are equal in all labels asked for; every group has a record. In no order. */
export type LogCountGroup = {
  /** The labels' values in the order of `by`, "" for a record that lacks the label. */
  readonly values: readonly string[];
  /** Numbers of the buckets that have records, ascending. */
  readonly buckets: Float64Array;
  /** Records in each of them. */
  readonly counts: Float64Array;
  /** Bytes of their bodies in UTF-8. */
  readonly bytes?: Float64Array | undefined;
};

/** Records as they come in, for those who watch. */
export interface LogFeed {
  /**
   * Gives the listener each batch of the tenant that a store has taken, until the function that it returns is called. The
   * batch is the store's: read only. The listener must return soon and must not throw.
   */
  subscribe(tenant: TenantId, listener: (batch: LogBatch) => void): () => void;
}

// ---- patterns of log lines -----------------------------------------------------------------------------------------

/**
 * The form that many lines share: `GET <_> took <_>`. As a LogQL pattern filter (`|> "…"`) it matches every line that was
 * counted for it.
 */
export type LogPattern = {
  readonly pattern: string;
  /** As LogQL's `detected_level`. */
  readonly level: string;
  /** Beginnings of intervals in which lines came, by the lines' own times, ascending. Older intervals are longer. */
  readonly timesMs: Float64Array;
  /** Lines in each of them. */
  readonly counts: Float64Array;
};
/** `isComplete` false: the store can't tell all that the request selects, and gives nothing; lines have to be read. */
export type LogPatternSelection = { readonly isComplete: boolean; readonly patterns: readonly LogPattern[] };

/** Patterns of all lines that were taken in, per stream. A pattern and level comes once; in no order. */
export interface LogPatternStore {
  patterns(request: StreamRequest, signal: AbortSignal): Promise<LogPatternSelection>;
  /** Finds patterns of other lines by the same rules: of those that a query selected. Belongs to the caller. */
  miner(): LogPatternMiner;
  /** Forgets the patterns of the streams: they may have words of lines that were deleted. */
  forget(request: Pick<StreamRequest, "tenant" | "matchers">): Promise<void>;
}
export interface LogPatternMiner {
  add(line: string, level: string, timeMs: number): void;
  patterns(): readonly LogPattern[];
}
/** Tells the levels of a batch's rows as LogQL's `detected_level` has them. */
export type LogLevels = (batch: LogBatch) => (row: number) => string;

// ---- traces --------------------------------------------------------------------------------------------------------

export interface TraceStore extends Store<SpanBatch>, DeletesRows {
  /** All spans of a trace (32 hex digits), each once, in no order; empty when there is none. */
  trace(tenant: TenantId, traceId: string, signal: AbortSignal): Promise<readonly SpanBatch[]>;
  /** Spans that start in the range, in no order; one that was sent twice may come twice. */
  spans(tenant: TenantId, range: TimeRangeNs, signal: AbortSignal): AsyncIterable<SpanBatch>;
  /** Sorted values of `service.name`, "" left out. */
  services(tenant: TenantId, signal: AbortSignal): Promise<readonly string[]>;
  /** Distinct span names and kinds of a service, sorted by name. */
  operations(tenant: TenantId, service: string, signal: AbortSignal): Promise<readonly Operation[]>;
}
export type Operation = { readonly name: string; readonly kind: number };

// ---- who asks ------------------------------------------------------------------------------------------------------

/** On whose behalf a request is made. */
export type Principal = {
  readonly tenant: TenantId;
  /** Of the API key that was presented. */
  readonly keyId?: string | undefined;
  /** It may act for every tenant. */
  readonly isGlobal?: boolean | undefined;
};

/** What a caller may do; `reveal`: read personal data that was encrypted. `admin` includes the others. */
export type Scope = "ingest" | "read" | "reveal" | "write-rules" | "admin";
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;
export type CallContext = {
  /** Address of the client, for counting its failures. */
  readonly peer?: string | undefined;
  /** Whose resource it is, when the resource says so and not the request. */
  readonly owner?: TenantId | undefined;
};
/**
 * The one place where it is decided who may do what. Throws `UnauthenticatedError`, `ForbiddenError`,
 * `TooManyRequestsError` or `InvalidInputError`. Header names are in lower case.
 */
export interface Authenticator {
  authenticate(headers: RequestHeaders, scope: Scope, context?: CallContext): Principal;
}

/** A key as it is kept: enough to recognise its token, not to make it. Times are Unix milliseconds. */
export type ApiKey = {
  /** Part of the token, and no secret. */
  readonly id: string;
  readonly name: string;
  /** `*`: every tenant, as the request names it; only together with the scope `admin`. */
  readonly tenant: TenantId;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the token. */
  readonly hash: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs?: number | undefined;
  readonly revokedAtMs?: number | undefined;
  readonly lastUsedAtMs?: number | undefined;
};
/** Where keys are kept. Several processes may use it at once. Throws `UnavailableError` when another one is in the way. */
export interface KeyCatalog extends Component {
  /** Revoked and expired ones too, oldest first. */
  keys(): Promise<readonly ApiKey[]>;
  /** Differs from what it was when another process has changed something. Cheap. */
  revision(): Promise<number>;
  addKey(key: ApiKey): Promise<void>;
  /** False when there is no such key, or it was revoked before. */
  revokeKey(id: string, atMs: number): Promise<boolean>;
  /** By id. Times older than the one kept are ignored, and so are unknown ids. */
  markKeysUsed(timesMs: ReadonlyMap<string, number>): Promise<void>;
}

// ---- what was done ---------------------------------------------------------------------------------------------------

/** Something that somebody did to a tenant's data. Details are JSON; they must not hold the data themselves. */
export type AuditEntry = {
  readonly atMs: number;
  readonly tenant: TenantId;
  /** The API key and the address that asked; "" when there was none. */
  readonly keyId: string;
  readonly client: string;
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
};
/** Entries are added and never changed. */
export interface AuditLog {
  /** Durable once it settles. */
  addEntry(entry: AuditEntry): Promise<void>;
  /** Of a tenant, newest first. */
  entries(tenant: TenantId, limit: number): Promise<readonly AuditEntry[]>;
}

// ---- rules -----------------------------------------------------------------------------------------------------------

export type RuleLanguage = "promql" | "logql";
/** One element of what a rule's expression gives; `histogram` in place of `value` where it is one. */
export type RuleSample = { readonly labels: Labels; readonly value: number; readonly histogram?: NativeHistogram };
export type RuleExpression = { readonly text: string; readonly language: RuleLanguage };
/** An expression that can be evaluated; `text` is as the language prints it. */
export type CheckedExpression = RuleExpression & {
  /** Each of its selectors names its metric, which those of no other language do. */
  readonly namesMetrics: boolean;
  /** All metrics that it can read, by the names that it gives them; absent: any. */
  readonly reads?: ReadonlySet<string> | undefined;
};
/** The newest sample of a series, staleness markers included. */
export type LastSample = {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
  readonly isStale: boolean;
};

/** All that rules know of queries. */
export interface RuleEvaluator {
  /** Throws `ParseError` or `InvalidInputError` in the words of the language. */
  check(expression: RuleExpression): CheckedExpression;
  /**
   * The instant vector at a time; a scalar is one sample without labels. Throws what the engines throw, and
   * `InvalidInputError` for what is neither.
   */
  evaluate(
    query: RuleExpression & { readonly tenant: TenantId; readonly timeMs: number },
    signal: AbortSignal,
  ): Promise<readonly RuleSample[]>;
  /** Of each series of metrics that has a sample in the range, in no order. */
  lastSamples(request: LabelRequest, signal: AbortSignal): Promise<readonly LastSample[]>;
}

/** A group of rules that somebody put there, as it was written down. Versions ascend from 1. */
export type StoredRuleGroup = {
  readonly tenant: TenantId;
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
  /** YAML; "": it was removed. */
  readonly text: string;
  /** Of expressions; "": found by itself. */
  readonly language: RuleLanguage | "";
  readonly changedAtMs: number;
  /** The API key and the address. */
  readonly changedBy: string;
};
/** Where such groups are kept, with what they were before. Several processes may use it at once. */
export interface RuleCatalog {
  /** Those that are there, of all tenants; by tenant, namespace and name. */
  ruleGroups(): Promise<readonly StoredRuleGroup[]>;
  /** Differs from what it was when any process has changed one. Cheap. */
  ruleRevision(): Promise<number>;
  /** One version more. An empty text removes the group. Durable once it settles; gives the version. */
  changeRuleGroup(group: Omit<StoredRuleGroup, "version">): Promise<number>;
  /** Newest first. */
  ruleGroupVersions(tenant: TenantId, namespace: string, name: string): Promise<readonly StoredRuleGroup[]>;
}

/** What became of rules, for those who ask. Times in milliseconds, 0: never. */
export interface RuleStates {
  /** Of a tenant, by file and name; with several processes those that others evaluate, too. */
  groups(tenant: TenantId): readonly RuleGroupState[] | Promise<readonly RuleGroupState[]>;
  /** Addresses of other Alertmanagers that are told of alerts. */
  readonly alertmanagers: readonly string[];
}
export type RuleGroupState = {
  readonly name: string;
  readonly file: string;
  readonly intervalMs: number;
  readonly limit: number;
  readonly evaluationMs: number;
  readonly lastEvaluationMs: number;
  readonly rules: readonly RuleState[];
};
type CommonRuleState = RuleExpressionOf & {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly health: "unknown" | "ok" | "err";
  /** "": none. */
  readonly lastError: string;
  readonly evaluationMs: number;
  readonly lastEvaluationMs: number;
};
type RuleExpressionOf = { readonly query: string; readonly language: RuleLanguage };
export type RuleState =
  | (CommonRuleState & { readonly type: "recording" })
  | (CommonRuleState & {
      readonly type: "alerting";
      readonly annotations: Readonly<Record<string, string>>;
      readonly forMs: number;
      readonly keepFiringForMs: number;
      readonly state: "unknown" | "inactive" | "pending" | "firing";
      readonly alerts: readonly AlertStateInfo[];
    });
export type AlertStateInfo = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: "inactive" | "pending" | "firing";
  readonly activeAtMs: number;
  readonly keepFiringSinceMs: number;
  readonly value: number;
};

export type { Attributes };
