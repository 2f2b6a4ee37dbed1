import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DECIMAL_LIMIT, MIN_DECIMAL, writeDecimal } from "./decimal-bytes.ts";

const bytes = Buffer.alloc(24);
const target = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function written(value: number): string {
  return bytes.toString("latin1", 0, writeDecimal(target, 0, value));
}

/** The double so many steps behind `value`. */
function neighbour(value: number, steps: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + BigInt(steps));
  return bits.getFloat64(0);
}

const steps = fc.integer({ min: -5, max: 5 });
const kinds: Record<string, fc.Arbitrary<number>> = {
  "any double": fc.double({ min: MIN_DECIMAL, max: DECIMAL_LIMIT, maxExcluded: true, noNaN: true }),
  "of some size": fc
    .tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -6, max: 15 }))
    .map(([digits, exponent]) => digits * 10 ** exponent),
  "of few digits": fc
    .tuple(
      fc.double({ min: 1, max: 10, noNaN: true }),
      fc.integer({ min: 1, max: 17 }),
      fc.integer({ min: -6, max: 15 }),
    )
    .map(([digits, count, exponent]) => Number(`${digits.toPrecision(count)}e${exponent}`)),
  "beside a multiple of a power of ten": fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: -6, max: 15 }), steps)
    .map(([digit, exponent, steps]) => neighbour(Number(`${digit}e${exponent}`), steps)),
  "beside a power of two": fc
    .tuple(fc.integer({ min: -20, max: 53 }), steps)
    .map(([exponent, steps]) => neighbour(2 ** exponent, steps)),
  "a fraction of a power of two": fc
    .tuple(fc.maxSafeNat(), fc.integer({ min: 0, max: 60 }))
    .map(([whole, exponent]) => whole / 2 ** exponent),
  "a quotient": fc.tuple(fc.nat(), fc.integer({ min: 1, max: 10_000 })).map(([a, b]) => a / b),
};

test.each(Object.entries(kinds))("a value is written as JavaScript does, or left to it: %s", (_, values) => {
  const value = values.filter((value) => value >= MIN_DECIMAL && value < DECIMAL_LIMIT);
  fc.assert(
    fc.property(value, (value) => {
      const text = written(value);
      expect(text === "" ? String(value) : text).toBe(String(value));
    }),
    { numRuns: rounds(5_000) },
  );
});

test.each([
  0.1,
  1 / 3,
  0.1 + 0.2,
  5.087719298245614,
  0.000001,
  1.5,
  17.7515,
  99.99999999999999,
  1234567890.5,
  8_589_934_593,
  70_000_000_000,
  9_999_999_999_999_998,
])("%d is not left to JavaScript", (value) => expect(written(value)).toBe(String(value)));
