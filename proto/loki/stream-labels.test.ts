import { InvalidInputError } from "@sightline/model/errors.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseStreamLabels } from "./stream-labels.ts";

describe("labels of a stream", () => {
  test.each<[string, [string, string][]]>([
    ["{}", []],
    [" { } ", []],
    ['{app="shop"}', [["app", "shop"]]],
    [
      '{ app = "shop" ,\n env="prod", }',
      [
        ["app", "shop"],
        ["env", "prod"],
      ],
    ],
    [String.raw`{a="q\"u\\o\nte\x41\u00e9\U0001F600\101"}`, [["a", 'q"u\\o\nteAé😀A']]],
    ["{a=`raw \\n`}", [["a", "raw \\n"]]],
    ["{a='single \"'}", [["a", 'single "']]],
    ['{"with.dots"="x"}', [["with.dots", "x"]]],
    ['{a="{b=\\"c\\"}, d"}', [["a", '{b="c"}, d']]],
    ['{a=""}', [["a", ""]]],
  ])("%j", (text, want) => expect(parseStreamLabels(text)).toEqual(want));

  test.each([
    ["", 'couldn\'t parse labels: 1:1: parse error: unexpected the end of the text, expected "{"'],
    ['app="x"', 'couldn\'t parse labels: 1:1: parse error: unexpected "app=\\"x\\"", expected "{"'],
    ["{app}", 'couldn\'t parse labels: 1:5: parse error: unexpected "}", expected "="'],
    ['{app!="x"}', 'couldn\'t parse labels: 1:5: parse error: unexpected "!=\\"x\\"}", expected "="'],
    ["{app=x}", 'couldn\'t parse labels: 1:6: parse error: unexpected "x}", expected a value in quotes'],
    ['{app="x"', 'couldn\'t parse labels: 1:9: parse error: unexpected the end of the text, expected ","'],
    ['{app="x"} y', 'couldn\'t parse labels: 1:11: parse error: unexpected "y", expected the end'],
    [
      String.raw`{app="\q"}`,
      'couldn\'t parse labels: 1:6: parse error: unexpected "\\"\\\\q\\"}", expected a string without unknown escapes',
    ],
  ])("%j is refused", (text, message) => {
    expect(() => parseStreamLabels(text)).toThrow(new InvalidInputError(message));
  });

  test("whatever is written as JSON strings comes back", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,9}$/), fc.string()), (labels) => {
        const pairs = Object.entries(labels);
        // JSON escapes \/ and control characters in ways that Go has, too.
        const text = `{${pairs.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}}`;
        expect(parseStreamLabels(text)).toEqual(pairs);
      }),
    );
  });

  test("any text gives labels or an InvalidInputError", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("{", "}", '"', "a", "=", ",", "\\", "`", "'", " ") }), (text) => {
        try {
          parseStreamLabels(text);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
        }
      }),
    );
  });

  test("a long text without an end takes no time", () => {
    expect(() => parseStreamLabels(`{a="${"\\\\".repeat(400_000)}`)).toThrow(InvalidInputError);
  });
});
