import type { AttributeColumn, Attributes, Scope } from "./attributes.ts";
import type { Labels } from "./labels.ts";
import type { Utf8Texts } from "./utf8-texts.ts";

/** Where log records come from. Equal streams should be the same object within a batch. */
export type LogStream = {
  /** Loki's index labels (its OTLP mapping of resource attributes): what a LogQL stream selector selects by. */
  readonly labels: Labels;
  /** Every resource attribute under its original name. */
  readonly resource: Attributes;
  readonly scope: Scope;
};

/** Log records in columns; row i belongs to streams[streamRefs[i]]. Rows need not ascend in time. */
export interface LogBatch {
  readonly length: number;
  readonly streams: readonly LogStream[];
  readonly streamRefs: Uint32Array;
  /** Event time in ns since the epoch; the observed time where the sender gave none, else that of arrival. */
  readonly timesNs: BigInt64Array;
  /** The observed time where the sender gave both; 0 where it gave none beside {@link timesNs}. */
  readonly observedNs: BigInt64Array;
  /** OpenTelemetry severity number 0 (none) … 24. */
  readonly severities: Uint8Array;
  readonly severityTexts: readonly string[];
  readonly bodies: readonly string[];
  /**
   * The bodies as UTF-8, as long as nobody has asked for them as strings; for whoever can do without these. A copy of the
   * batch by `{ ...batch }` has strings ({@link LazyLogBatch}).
   */
  readonly bodyBytes?: Utf8Texts | undefined;
  /** Lower-case hex, "" when there is none. */
  readonly traceIds: readonly string[];
  readonly spanIds: readonly string[];
  /** Attributes of the records themselves. */
  readonly attributes: readonly AttributeColumn[];
  /**
   * Only where the request was `deferred`: to be called for a row before its ids, severity text or attributes are read, by
   * then they are not there. Cheap when it has been called before.
   */
  readonly load?: ((row: number) => void) | undefined;
}
