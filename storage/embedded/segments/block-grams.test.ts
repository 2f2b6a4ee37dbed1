import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BLOCK_ROWS, BlockGrams } from "./block-grams.ts";

function gramsOf(...blocks: readonly string[]): BlockGrams {
  const grams = new BlockGrams(new Uint8Array(BlockGrams.bytesForRows(blocks.length * BLOCK_ROWS)));
  for (const [block, text] of blocks.entries()) grams.add(block, Buffer.from(text));
  return grams;
}

const firstOf = (from: number, blocks = 1) => ({ from: from * BLOCK_ROWS, to: (from + blocks) * BLOCK_ROWS - 1 });

test.each([
  ["a text of one block", ["order-4711"], [firstOf(1)]],
  ["neighbours as one span", ["checkout"], [firstOf(2, 2)]],
  ["any block for a text that is too short", ["mail"], undefined],
  ["letters of either case", ["ORDER-4711"], [firstOf(1)]],
  ["several texts, each of which is needed", ["checkout", "late comer"], [firstOf(3)]],
  ["a text that is nowhere", ["no such thing"], []],
  ["texts beyond ASCII", ["Größenänderung"], [firstOf(4)]],
])("finds %s", (_name, parts, want) => {
  const grams = gramsOf("", "mail order-4711", "checkout", "checkout late comer", "mail: Größenänderung");
  expect(grams.spansOf(parts)).toEqual(want);
});

test("names no blocks when nearly all may have a text", () => {
  expect(gramsOf("payment", "payment", "payment", "payment", "").spansOf(["payment"])).toBeUndefined();
});

test("never leaves out a block that has a text", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: CODE_POINT, maxLength: 40 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.nat(),
      fc.nat(),
      (texts, block, from, length) => {
        const at = block % texts.length;
        const text = (texts[at] as string).toWellFormed();
        const start = from % (text.length + 1);
        const part = text.slice(start, start + (length % 20));
        // Half of a pair is looked for as what it is replaced by in both.
        fc.pre(part.isWellFormed());
        const spans = gramsOf(...texts).spansOf([part]);
        const row = at * BLOCK_ROWS;
        expect(spans === undefined || spans.some(({ from, to }) => from <= row && row <= to)).toBe(true);
      },
    ),
    { numRuns: rounds(10) },
  );
});
