import type { Label } from "@sightline/model/labels.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { Rejection } from "@sightline/model/ports.ts";
import type { RequestBounds } from "../otlp/object-budget.ts";
import { runSteps } from "../otlp/run-steps.ts";
import { BYTES, DEFAULT_MAX_DEPTH, VARINT, WireReader } from "../wire/reader.ts";
import { PushRecords } from "./push-records.ts";
import { parseStreamLabels } from "./stream-labels.ts";

const FIRST = (1 << 3) | BYTES;
const SECOND = (2 << 3) | BYTES;
const THIRD = (3 << 3) | BYTES;
const FIRST_NUMBER = (1 << 3) | VARINT;
const SECOND_NUMBER = (2 << 3) | VARINT;
const ENTRIES_PER_STEP = 1_000;

/**
 * Decodes a logproto.PushRequest (Loki's pkg/push/push.proto), decompressed. Throws `InvalidInputError` when it is not
 * protobuf of that shape or a stream's labels are none, `TooLargeError` when it holds more than one request may.
 */
export function decodeLokiPush(
  bytes: Uint8Array,
  receivedAtMs: number,
  bounds: RequestBounds = {},
): { batch: LogBatch; rejected: readonly Rejection[] } {
  return runSteps(decodeLokiPushInSteps(bytes, receivedAtMs, bounds));
}

/** As {@link decodeLokiPush}, a little at each step. */
export function* decodeLokiPushInSteps(
  bytes: Uint8Array,
  receivedAtMs: number,
  bounds: RequestBounds = {},
): Generator<void, { batch: LogBatch; rejected: readonly Rejection[] }> {
  const reader = new WireReader(bytes, "PushRequest", { maxDepth: bounds.maxDepth ?? DEFAULT_MAX_DEPTH });
  const records = new PushRecords(countEntries(reader), receivedAtMs, bounds);
  reader.reset(bytes);
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === FIRST) yield* readStream(reader, records);
    else reader.skip(tag);
  }
  return records.finish();
}

function countEntries(reader: WireReader): number {
  let count = 0;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag !== FIRST) {
      reader.skip(tag);
      continue;
    }
    const outer = reader.enter("streams");
    for (let inner = reader.nextTag(); inner !== 0; inner = reader.nextTag()) {
      if (inner === SECOND) count++;
      reader.skip(inner);
    }
    reader.leave(outer);
  }
  return count;
}

function* readStream(reader: WireReader, records: PushRecords): Generator<void> {
  const outer = reader.enter("streams");
  const start = reader.pos;
  // Labels come first as everybody writes them, but need not.
  let labels = "";
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === FIRST) labels = reader.stringLossy();
    else reader.skip(tag);
  }
  records.startStream(parseStreamLabels(labels));
  reader.pos = start;
  let count = 0;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag !== SECOND) {
      reader.skip(tag);
      continue;
    }
    readEntry(reader, records);
    if (++count % ENTRIES_PER_STEP === 0) yield;
  }
  reader.leave(outer);
}

function readEntry(reader: WireReader, records: PushRecords): void {
  const outer = reader.enter("entries");
  let timeNs = 0n;
  let line = "";
  const metadata: Label[] = [];
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === FIRST) timeNs = readTimestamp(reader);
    else if (tag === SECOND) line = reader.stringLossy();
    else if (tag === THIRD) metadata.push(readPair(reader));
    else reader.skip(tag);
  }
  reader.leave(outer);
  records.add(timeNs, line, metadata);
}

function readTimestamp(reader: WireReader): bigint {
  const outer = reader.enter("timestamp");
  let seconds = 0n;
  let nanos = 0;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === FIRST_NUMBER) seconds = reader.int64();
    else if (tag === SECOND_NUMBER) nanos = reader.int32();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return seconds * 1_000_000_000n + BigInt(nanos);
}

function readPair(reader: WireReader): Label {
  const outer = reader.enter("structuredMetadata");
  let name = "";
  let value = "";
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === FIRST) name = reader.stringLossy();
    else if (tag === SECOND) value = reader.stringLossy();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return [name, value];
}
