import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJsonArray } from "./json-body.ts";

const parse = (text: string) => parseJsonArray("alerts", "models.PostableAlerts", Buffer.from(text));
/** Longer than what is parsed in one go. */
const PADDING = " ".repeat(300_000);

test("an array is the same whether it is parsed in slices or at once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 30 }), async (items) => {
      const spread = `[${items.map((item) => `${PADDING}${JSON.stringify(item)}`).join(" , ")} ]\n`;
      expect(await parse(spread)).toEqual(JSON.parse(JSON.stringify(items)));
    }),
    { numRuns: 50 },
  );
});

test("brackets, commas and escaped quotes within texts end nothing", async () => {
  const items = ['],{[\\"', '\\\\"', "a,b", "]"].map((text) => ({ [text]: text }));
  expect(await parse(`${PADDING}${JSON.stringify(items)}`)).toEqual(items);
});

test.each([
  ["", undefined],
  [" \n", undefined],
  ["null", null],
  ["[]", []],
  [`${PADDING}[ ]`, []],
])("%#: an empty body is told from an empty array", async (text, want) => {
  expect(await parse(text)).toEqual(want);
});

test.each([
  ["{}", "cannot unmarshal object into Go value of type models.PostableAlerts"],
  ["[1", "unexpected EOF"],
  [`[${PADDING}1`, "alerts"],
  [`[${PADDING}1,]`, "alerts"],
  [`[1,${PADDING},2]`, "alerts"],
  [`[${PADDING}]]`, "after top-level value"],
  [`[${PADDING}1] 2`, "after top-level value"],
  [`[{${PADDING}]`, "alerts"],
  [`{"a":1${PADDING}}`, "it is not an array"],
  [`[1,"${"x".repeat(2_000_000)}"]`, "an item has more than"],
])("%#: what is no array is refused", async (text, message) => {
  await expect(parse(text)).rejects.toThrow(message);
});
