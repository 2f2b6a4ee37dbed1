import { EmptyRequestError } from "@sightline/model/errors.ts";
import type { Label } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { Rejection } from "@sightline/model/ports.ts";
import { Rejections } from "@sightline/model/rejections.ts";
import { AttributeColumns } from "../otlp/attribute-columns.ts";
import { AnyValueReader } from "../otlp/attributes.ts";
import { checkItemCount, MAX_OBJECTS, type RequestBounds } from "../otlp/object-budget.ts";
import { runSteps } from "../otlp/run-steps.ts";
import { TextCache } from "../otlp/text-cache.ts";
import { pushStream } from "./push-stream.ts";

const TEXTS = new TextCache();
const NO_BYTES = Buffer.alloc(0);
const MAX_TIME_NS = 2n ** 63n - 1n;
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/;

/**
 * The columns of a batch while a push request is being read. Structured metadata become the records' attributes under
 * their names; a `trace_id` and a `span_id` of the usual form are the record's own. A time before 1970 or after 2262
 * refuses the record, none means `receivedAtMs`.
 */
export class PushRecords {
  readonly #receivedNs: bigint;
  readonly #streams: LogStream[] = [];
  readonly #streamRefs: Uint32Array<ArrayBuffer>;
  readonly #timesNs: BigInt64Array<ArrayBuffer>;
  readonly #bodies: string[] = [];
  readonly #traceIds: string[] = [];
  readonly #spanIds: string[] = [];
  readonly #attributes: AttributeColumns;
  readonly #rejections = new Rejections();
  readonly #maxStreams: number;
  #row = 0;

  /** `rows` is the number of entries that may come. Throws `TooLargeError` when that is more than one request may have. */
  constructor(rows: number, receivedAtMs: number, bounds: RequestBounds) {
    checkItemCount(rows, "entries");
    const { maxObjects = MAX_OBJECTS } = bounds;
    this.#maxStreams = maxObjects;
    this.#receivedNs = BigInt(Math.trunc(receivedAtMs)) * 1_000_000n;
    this.#streamRefs = new Uint32Array(rows);
    this.#timesNs = new BigInt64Array(rows);
    const values = new AnyValueReader(NO_BYTES, TEXTS, "sorted", maxObjects);
    this.#attributes = new AttributeColumns(rows, NO_BYTES, TEXTS, values);
  }

  /** Entries added from now on belong to this stream. */
  startStream(labels: readonly Label[]): void {
    checkItemCount(this.#streams.length + 1, "streams", this.#maxStreams);
    this.#streams.push(pushStream(labels));
  }

  add(timeNs: bigint, line: string, metadata: readonly Label[]): void {
    if (timeNs < 0n || timeNs > MAX_TIME_NS) {
      this.#rejections.add("invalid", () => "the timestamp of an entry is not between 1970 and 2262");
      return;
    }
    const row = this.#row;
    let traceId = "";
    let spanId = "";
    let hasAll = true;
    this.#attributes.startRow(row);
    for (const [name, value] of metadata) {
      if (value === "") continue;
      if (name === "trace_id" && TRACE_ID.test(value)) traceId = value;
      else if (name === "span_id" && SPAN_ID.test(value)) spanId = value;
      else hasAll = this.#attributes.set(name, "string", value) && hasAll;
    }
    if (!hasAll) {
      this.#attributes.abandonRow();
      this.#rejections.add("limit", () => this.#attributes.limitMessage);
      return;
    }
    this.#streamRefs[row] = this.#streams.length - 1;
    this.#timesNs[row] = timeNs === 0n ? this.#receivedNs : timeNs;
    this.#bodies.push(line);
    this.#traceIds.push(traceId);
    this.#spanIds.push(spanId);
    this.#row++;
  }

  /** Throws `EmptyRequestError` when no stream was started; streams without entries are fine, as in Loki. */
  finish(): { batch: LogBatch; rejected: readonly Rejection[] } {
    if (this.#streams.length === 0) {
      throw new EmptyRequestError("error at least one valid stream is required for ingestion");
    }
    const length = this.#row;
    const batch: LogBatch = {
      length,
      streams: this.#streams,
      streamRefs: this.#streamRefs.subarray(0, length),
      timesNs: this.#timesNs.subarray(0, length),
      observedNs: new BigInt64Array(length),
      severities: new Uint8Array(length),
      severityTexts: new Array<string>(length).fill(""),
      bodies: this.#bodies,
      traceIds: this.#traceIds,
      spanIds: this.#spanIds,
      attributes: runSteps(this.#attributes.finish(length)),
    };
    return { batch, rejected: this.#rejections.list() };
  }
}
