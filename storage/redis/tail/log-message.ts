import { deserialize, serialize } from "node:v8";
import type { LogBatch } from "@sightline/model/log-batch.ts";

/** In one message, so that neither side is held up by a large request. */
export const MAX_MESSAGE_ROWS = 500;

type Message = { readonly from: string; readonly batch: LogBatch };

/** Parts of a batch, each a message; `from` names the process. */
export function* encodeLogMessages(from: string, batch: LogBatch): Generator<Buffer> {
  for (let row = 0; row < batch.length; row += MAX_MESSAGE_ROWS) {
    yield serialize({
      from,
      batch: slice(batch, row, Math.min(batch.length, row + MAX_MESSAGE_ROWS)),
    } satisfies Message);
  }
}

/** A message without records: some before it were lost on the way. */
export function encodeGap(from: string): Buffer {
  const batch: LogBatch = {
    length: 0,
    streams: [],
    streamRefs: new Uint32Array(),
    timesNs: new BigInt64Array(),
    observedNs: new BigInt64Array(),
    severities: new Uint8Array(),
    severityTexts: [],
    bodies: [],
    traceIds: [],
    spanIds: [],
    attributes: [],
  };
  return serialize({ from, batch } satisfies Message);
}

/** Undefined when it is none of ours: another release may write others. */
export function decodeLogMessage(bytes: Buffer): Message | undefined {
  let message: Partial<Message>;
  try {
    message = deserialize(bytes) as Partial<Message>;
  } catch {
    return undefined;
  }
  const { batch } = message ?? {};
  const isBatch =
    typeof message?.from === "string" &&
    Array.isArray(batch?.bodies) &&
    batch.timesNs instanceof BigInt64Array &&
    batch.streamRefs instanceof Uint32Array &&
    batch.streamRefs.every((ref) => ref < batch.streams.length);
  return isBatch ? (message as Message) : undefined;
}

function slice(batch: LogBatch, from: number, to: number): LogBatch {
  for (let row = from; row < to; row++) batch.load?.(row);
  // Streams that no row of the part has stay behind.
  const refs = new Map<number, number>();
  const streamRefs = new Uint32Array(to - from);
  for (let row = from; row < to; row++) {
    const ref = batch.streamRefs[row] as number;
    if (!refs.has(ref)) refs.set(ref, refs.size);
    streamRefs[row - from] = refs.get(ref) as number;
  }
  return {
    length: to - from,
    streams: Array.from(refs.keys(), (ref) => batch.streams[ref] as LogBatch["streams"][number]),
    streamRefs,
    timesNs: batch.timesNs.slice(from, to),
    observedNs: batch.observedNs.slice(from, to),
    severities: batch.severities.slice(from, to),
    severityTexts: batch.severityTexts.slice(from, to),
    bodies: batch.bodies.slice(from, to),
    traceIds: batch.traceIds.slice(from, to),
    spanIds: batch.spanIds.slice(from, to),
    attributes: batch.attributes.map(({ name, type, values }) => ({ name, type, values: values.slice(from, to) })),
  };
}
