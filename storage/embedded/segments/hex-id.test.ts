import fc from "fast-check";
import { expect, test } from "vitest";
import { hexOfWord, hexOfWords, isHexId, wordOfHex } from "./hex-id.ts";

const hex = (digits: number) =>
  fc.array(fc.constantFrom(..."0123456789abcdef"), { minLength: digits, maxLength: digits }).map((all) => all.join(""));

test("an id is what it was after it has been words", () => {
  fc.assert(
    fc.property(hex(32), hex(16), (traceId, spanId) => {
      fc.pre(isHexId(traceId, 2) && isHexId(spanId, 1));
      expect(wordOfHex(spanId, 0)).toBe(BigInt(`0x${spanId}`));
      expect(hexOfWord(wordOfHex(spanId, 0))).toBe(spanId);
      expect(hexOfWords(wordOfHex(traceId, 0), wordOfHex(traceId, 1))).toBe(traceId);
    }),
  );
});

test.each([
  ["ffffffffffffffff", 1, true],
  ["0000000000000001", 1, true],
  ["0000000000000000", 1, false],
  ["00000000000000000000000000000000", 2, false],
  ["fffffffffffffff", 1, false],
  ["ffffffffffffffff", 2, false],
  ["FFFFFFFFFFFFFFFF", 1, false],
  ["fffffffffffffffg", 1, false],
  ["ffff:fffffffffff", 1, false],
  ["ffff`fffffffffff", 1, false],
  ["fff/ffffffffffff", 1, false],
  ["ffffffffffffff\u0130f", 1, false],
  ["", 1, false],
] as const)("%j as an id of %i words: %s", (id, words, want) => expect(isHexId(id, words)).toBe(want));
