import { serialize } from "node:v8";
import { NO_SCOPE } from "@sightline/model/attributes.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeLogMessage, encodeLogMessages, MAX_MESSAGE_ROWS } from "./log-message.ts";

function batchOf(bodies: readonly string[], streamRefs: readonly number[]): LogBatch {
  const none = bodies.map(() => "");
  return {
    length: bodies.length,
    streams: [0, 1, 2].map((i) => ({ labels: [["stream", String(i)]], resource: [], scope: NO_SCOPE })),
    streamRefs: Uint32Array.from(streamRefs),
    timesNs: BigInt64Array.from(bodies, (_, i) => BigInt(i)),
    observedNs: new BigInt64Array(bodies.length),
    severities: new Uint8Array(bodies.length),
    severityTexts: none,
    bodies,
    traceIds: none,
    spanIds: none,
    // Shorter than the batch, as it may be.
    attributes: [{ name: "a", type: "int", values: ["1", undefined, "3"] }],
  };
}

const plain = (batch: LogBatch) =>
  Array.from({ length: batch.length }, (_, row) => ({
    stream: batch.streams[batch.streamRefs[row] as number],
    timeNs: batch.timesNs[row],
    body: batch.bodies[row],
    attribute: batch.attributes[0]?.values[row],
  }));

test("records come back as they were, in parts", () => {
  const row = fc.tuple(fc.string({ unit: CODE_POINT }), fc.integer({ min: 0, max: 2 }));
  const some = fc.array(row, { minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(some, fc.integer({ min: 0, max: 3 * MAX_MESSAGE_ROWS }), (some, length) => {
      const rows = Array.from({ length }, (_, i) => some[i % some.length] as (typeof some)[number]);
      const batch = batchOf(rows.map(([body]) => body), rows.map(([, ref]) => ref)); // biome-ignore format: one line
      const messages = Array.from(encodeLogMessages("me", batch), (bytes) => decodeLogMessage(bytes));
      expect(messages).toHaveLength(Math.ceil(rows.length / MAX_MESSAGE_ROWS));
      expect(messages.flatMap((message) => (message ? plain(message.batch) : []))).toEqual(plain(batch));
      expect(messages.every((message) => message?.from === "me")).toBe(true);
    }),
    { numRuns: 5 },
  );
});

test("what is read late is read before it is handed on", () => {
  const loaded: number[] = [];
  const batch = { ...batchOf(["a", "b"], [0, 1]), load: (row: number) => loaded.push(row) };
  expect([...encodeLogMessages("me", batch)]).toHaveLength(1);
  expect(loaded).toEqual([0, 1]);
});

test.each([
  ["nothing", Buffer.of()],
  ["noise", Buffer.of(255, 15, 1, 2, 3)],
  ["something else", serialize({ hello: 1 })],
  ["nobody's", serialize({ batch: batchOf(["a"], [0]) })],
  ["a stream that is not there", serialize({ from: "x", batch: batchOf(["a"], [9]) })],
])("%s is no message", (_, bytes) => {
  expect(decodeLogMessage(bytes)).toBeUndefined();
});
