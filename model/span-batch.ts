import type { AttributeColumn, Attributes, Scope } from "./attributes.ts";

export type SpanSource = { readonly resource: Attributes; readonly scope: Scope; readonly resourceSchemaUrl: string };
export type SpanEvent = {
  readonly timeNs: bigint;
  readonly name: string;
  readonly attributes: Attributes;
  /** How many attributes the sender left out; absent for none, here and in links. */
  readonly droppedAttributes?: number;
};
export type SpanLink = {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  readonly attributes: Attributes;
  /** W3C trace flags and those of OpenTelemetry; absent for 0. */
  readonly flags?: number;
  readonly droppedAttributes?: number;
};
/** How many of each the sender left out of a span. */
export type SpanDropped = { readonly attributes: number; readonly events: number; readonly links: number };

/** Spans in columns; row i comes from sources[sourceRefs[i]]. */
export interface SpanBatch {
  readonly length: number;
  readonly sources: readonly SpanSource[];
  readonly sourceRefs: Uint32Array;
  /** Lower-case hex: 32 and 16 digits; parent "" for a root span. */
  readonly traceIds: readonly string[];
  readonly spanIds: readonly string[];
  readonly parentSpanIds: readonly string[];
  readonly traceStates: readonly string[];
  readonly flags: Uint32Array;
  readonly names: readonly string[];
  /** 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kinds: Uint8Array;
  readonly startsNs: BigInt64Array;
  readonly durationsNs: BigInt64Array;
  /** 0 unset, 1 ok, 2 error. */
  readonly statusCodes: Uint8Array;
  readonly statusMessages: readonly string[];
  readonly attributes: readonly AttributeColumn[];
  /** undefined for the many spans that have none; arrays may be shorter than the batch. */
  readonly events: readonly (readonly SpanEvent[] | undefined)[];
  readonly links: readonly (readonly SpanLink[] | undefined)[];
  /** Absent when nothing was left out of any of the spans. */
  readonly dropped?: readonly (SpanDropped | undefined)[];
}
