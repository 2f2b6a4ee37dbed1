import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { snappyCompress } from "./snappy-compress.ts";
import { snappyDecompress } from "./snappy-decompress.ts";

const MAX = 1 << 24;
const text = (length: number) => Buffer.from("the quick brown fox jumps over the lazy dog; ".repeat(length / 45 + 1));

test("what is compressed comes back", () => {
  const run = fc
    .tuple(fc.nat(200), fc.uint8Array({ maxLength: 20 }))
    .map(([n, bytes]) => Buffer.concat(Array(n).fill(bytes)));
  fc.assert(
    fc.property(fc.array(run, { maxLength: 20 }), (runs) => {
      const bytes = Buffer.concat(runs);
      expect(snappyDecompress(snappyCompress(bytes), MAX).equals(bytes)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test.each([0, 1, 14, 15, 16, 65_535, 65_536, 65_537, 300_000])("%d bytes, random and regular, come back", (length) => {
  const random = Buffer.from(Array.from({ length }, () => Math.floor(Math.random() * 256)));
  for (const bytes of [random, text(length), Buffer.alloc(length)]) {
    expect(snappyDecompress(snappyCompress(bytes), MAX).equals(bytes)).toBe(true);
  }
});

test("repetitions become copies, and what does not repeat hardly grows", () => {
  expect(snappyCompress(text(100_000)).length).toBeLessThan(6_000);
  const random = crypto.getRandomValues(new Uint8Array(60_000));
  expect(snappyCompress(random).length).toBeLessThan(60_100);
});

test("a stream of the original library is read", () => {
  // "Wikipedia is a free, web-based, collaborative, multilingual encyclopedia project.": an example of the format's article.
  const literal = "Wikipedia is a free, web-based, collaborative, multilingual encyclopedia project.";
  const stream = Buffer.concat([
    Buffer.from([0x51, 0xf0, 0x42]),
    Buffer.from(literal.slice(0, 67)),
    Buffer.from([0x09, 0x3f]),
    Buffer.from([0x1c]),
    Buffer.from(literal.slice(73)),
  ]);
  expect(snappyDecompress(stream, MAX).toString()).toBe(
    `${literal.slice(0, 67)}${literal.slice(4, 10)}${literal.slice(73)}`,
  );
});

test.each([
  ["nothing", [], InvalidInputError],
  ["an endless length", [255, 255, 255, 255, 255, 255], InvalidInputError],
  ["a length beyond the limit", [255, 255, 255, 255, 15], TooLargeError],
  ["a literal that is cut off", [5, 16, 97], InvalidInputError],
  ["a literal longer than all", [1, 4, 97, 97], InvalidInputError],
  ["a copy of nothing", [4, 1, 0], InvalidInputError],
  ["a copy from before the start", [8, 0, 97, 1, 9], InvalidInputError],
  ["an early end", [9, 0, 97], InvalidInputError],
])("%s is refused", (_, bytes, error) => expect(() => snappyDecompress(Uint8Array.from(bytes), MAX)).toThrow(error));

test("no input makes it fail in another way", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        snappyDecompress(bytes, 1_000);
      } catch (error) {
        expect(error instanceof InvalidInputError || error instanceof TooLargeError).toBe(true);
      }
    }),
  );
});
