import type { AttributeColumn } from "./attributes.ts";
import type { LogBatch, LogStream } from "./log-batch.ts";
import type { Utf8Texts } from "./utf8-texts.ts";

type Fields = Omit<LogBatch, "bodies" | "bodyBytes">;

/**
 * A batch whose bodies become strings when somebody asks for them: on their way to a file nobody has to, and hundreds of
 * bytes of each record stay out of the collector's way. They are either bytes or strings, never both.
 */
export class LazyLogBatch implements LogBatch {
  readonly length: number;
  readonly streams: readonly LogStream[];
  readonly streamRefs: Uint32Array;
  readonly timesNs: BigInt64Array;
  readonly observedNs: BigInt64Array;
  readonly severities: Uint8Array;
  readonly severityTexts: readonly string[];
  declare readonly bodies: readonly string[];
  readonly traceIds: readonly string[];
  readonly spanIds: readonly string[];
  readonly attributes: readonly AttributeColumn[];
  #bytes: Utf8Texts | undefined;
  #strings: readonly string[] | undefined;

  constructor(fields: Fields, bodies: Utf8Texts) {
    this.length = fields.length;
    this.streams = fields.streams;
    this.streamRefs = fields.streamRefs;
    this.timesNs = fields.timesNs;
    this.observedNs = fields.observedNs;
    this.severities = fields.severities;
    this.severityTexts = fields.severityTexts;
    this.traceIds = fields.traceIds;
    this.spanIds = fields.spanIds;
    this.attributes = fields.attributes;
    this.#bytes = bodies;
    // Its own, so that a copy by `{ ...batch }` has it, and one for all, so that all batches have the same shape.
    Object.defineProperty(this, "bodies", LazyLogBatch.#BODIES);
  }

  static readonly #BODIES: PropertyDescriptor & ThisType<LazyLogBatch> = {
    enumerable: true,
    get() {
      return this.#asStrings();
    },
  };

  get bodyBytes(): Utf8Texts | undefined {
    return this.#bytes;
  }

  #asStrings(): readonly string[] {
    this.#strings ??= (this.#bytes as Utf8Texts).toStrings();
    this.#bytes = undefined;
    return this.#strings;
  }
}

/** The batch with other ids; bodies that are bytes stay bytes. */
export function withIds(batch: LogBatch, traceIds: readonly string[], spanIds: readonly string[]): LogBatch {
  const { bodyBytes } = batch;
  if (!bodyBytes) return { ...batch, traceIds, spanIds };
  const { length, streams, streamRefs, timesNs, observedNs, severities, severityTexts, attributes } = batch;
  return new LazyLogBatch(
    { length, streams, streamRefs, timesNs, observedNs, severities, severityTexts, traceIds, spanIds, attributes },
    bodyBytes,
  );
}
