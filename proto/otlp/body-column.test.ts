import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import fc from "fast-check";
import protobuf from "protobufjs/minimal.js";
import { expect, test } from "vitest";
import { decodeOtlpLogs } from "./logs.ts";

type Body = Uint8Array | undefined;

/** A request with a record for each body; undefined: it has none. */
function request(bodies: readonly Body[]): Uint8Array {
  const scope = protobuf.Writer.create();
  for (const body of bodies) {
    const record = protobuf.Writer.create().uint32(9).fixed64(1_000);
    if (body) record.uint32(42).bytes(body);
    scope.uint32(18).bytes(record.finish());
  }
  const resource = protobuf.Writer.create().uint32(18).bytes(scope.finish()).finish();
  return protobuf.Writer.create().uint32(10).bytes(resource).finish();
}

const string = (bytes: Uint8Array) => protobuf.Writer.create().uint32(10).bytes(bytes).finish();
const int = (value: number) => protobuf.Writer.create().uint32(24).int64(value).finish();

test("bodies that are valid UTF-8 stay bytes, in any mixture with others", () => {
  const body = fc.oneof(
    fc.string({ unit: CODE_POINT }).map((text) => [string(Buffer.from(text)), Buffer.from(text).toString()] as const),
    fc.nat().map((value) => [int(value), String(value)] as const),
    fc.constant([undefined, ""] as const),
  );
  fc.assert(
    fc.property(fc.array(body, { maxLength: 20 }), (bodies) => {
      const { batch } = decodeOtlpLogs(request(bodies.map(([bytes]) => bytes)), 0);
      expect(batch.bodyBytes?.toStrings()).toEqual(bodies.map(([, text]) => text));
      expect(batch.bodies).toEqual(bodies.map(([, text]) => text));
    }),
  );
});

test.each<[what: string, bodies: readonly Body[], texts: readonly string[]]>([
  ["bytes that are no UTF-8", [string(Buffer.of(0x61, 0xff)), string(Buffer.from("b"))], ["a\ufffd", "b"]],
  ["halves of a character", [string(Buffer.of(0xc3)), string(Buffer.of(0xa9))], ["\ufffd", "\ufffd"]],
])("%s are replaced, each in its own body", (_, bodies, texts) => {
  expect(decodeOtlpLogs(request(bodies), 0).batch.bodies).toEqual(texts);
});

test("of a body that is given as two types the last counts", () => {
  const both = Buffer.concat([string(Buffer.from("text")), int(7)]);
  const reversed = Buffer.concat([int(7), string(Buffer.from("text"))]);
  expect(decodeOtlpLogs(request([both, reversed]), 0).batch.bodies).toEqual(["7", "text"]);
});
