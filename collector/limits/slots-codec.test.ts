import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSlots, encodeSlots } from "./slots-codec.ts";

const slot = fc.record({ hash: fc.maxSafeNat(), seenMs: fc.integer({ min: 0, max: 4e12 }) });

test("what is encoded is decoded", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.array(slot)), { maxLength: 20 }), (entries) => {
      const slots = new Map(entries);
      expect(decodeSlots(encodeSlots(slots))).toEqual(slots);
    }),
  );
});

test("lengths that reach beyond the end say nothing, though the checksum fits", () => {
  const bytes = encodeSlots(new Map([["up", [{ hash: 1, seenMs: 2 }]]]));
  for (const at of [8, 14]) {
    const damaged = Buffer.from(bytes);
    damaged.writeUInt32LE(1_000, at);
    damaged.writeUInt32LE(crc32(damaged.subarray(8)), 4);
    expect(decodeSlots(damaged), `length at ${at}`).toBeUndefined();
  }
});

test("bytes that are damaged or cut say nothing", () => {
  const bytes = encodeSlots(new Map([["up", [{ hash: 1, seenMs: 2 }]]]));
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] as number) ^ 1;
    expect(decodeSlots(damaged), `byte ${at}`).toBeUndefined();
    expect(decodeSlots(bytes.subarray(0, at)), `${at} bytes`).toBeUndefined();
  }
});
