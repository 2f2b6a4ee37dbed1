import { expect, test } from "vitest";
import { parseSelector } from "./parse-selector.ts";

test.each([
  ["up", [["__name__", "=", "up"]]],
  [
    ' up { job = "a" , } ',
    [
      ["__name__", "=", "up"],
      ["job", "=", "a"],
    ],
  ],
  [
    "{a!=\"1\",b=~'x|y',c!~`\\d`}",
    [
      ["a", "!=", "1"],
      ["b", "=~", "x|y"],
      ["c", "!~", "\\d"],
    ],
  ],
  [
    '{"http.server.duration","service.name"="a\\"b"}',
    [
      ["__name__", "=", "http.server.duration"],
      ["service.name", "=", 'a"b'],
    ],
  ],
])("reads %s", (text, want) =>
  expect(parseSelector(text).map(({ name, op, value }) => [name, op, value])).toEqual(want),
);

test.each(["", "{}", "up{", "up{a}", "up{a=}", "up{a=b}", 'up{a="b"', 'up{a="b" c="d"}', "up[5m]", "sum(up)"])(
  "refuses %j, saying where",
  (text) => expect(() => parseSelector(text)).toThrow(/is no selector: unexpected/),
);

test("refuses a regular expression that is none", () => {
  expect(() => parseSelector('{a=~"("}')).toThrow("invalid regular expression");
});
