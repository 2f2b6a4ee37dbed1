import { expect, test } from "vitest";
import { parseLogql } from "../parse/parse-logql.ts";
import { layOutLogql } from "./lay-out-logql.ts";

const LONG = "this text is long enough to make any of these queries longer than a line may be, which is 100 bytes";

test.each([
  ['{a="b"}|="c"|json|d>5', '{a="b"} |= "c" | json | d>5'],
  [
    `{a="b"} |= "${LONG}" != "x" |~ "y" or "z" | json | line_format "{{.x}}" | decolorize`,
    `{a="b"}\n  |= "${LONG}"\n  != "x"\n  |~ "y" or "z"\n  | json\n  | line_format "{{.x}}"\n| decolorize`,
  ],
  [`{a="${LONG}"} |= "x" != "y" | json`, `{a="${LONG}"}\n  |= "x" != "y"\n  | json`],
  [
    `sum by (a,b) (quantile_over_time(0.9, {a="${LONG}"} | logfmt | unwrap duration(x) | __error__="" [5m] offset 1h) by (c))`,
    `sum by (a, b)(\n  quantile_over_time(\n    0.9,\n    {a="${LONG}"}\n      | logfmt\n      | unwrap duration(x)\n      | __error__="" [5m] offset 1h\n  ) by (c)\n)`,
  ],
  [
    `topk(3, rate({a="${LONG}"}[1m])) > bool on (x) group_left (y) vector(1)`,
    `  topk(\n    3,\n    rate(\n      {a="${LONG}"} [1m]\n    )\n  )\n> bool on (x) group_left (y)\n  vector(1.000000)`,
  ],
  [
    `(rate({a="b"}[1m]) + rate({a="${LONG}"}[1m])) * 2`,
    `  (\n      rate({a="b"}[1m])\n    +\n      rate(\n        {a="${LONG}"} [1m]\n      )\n  )\n*\n  2`,
  ],
])("%s", (query, want) => {
  const laidOut = layOutLogql(parseLogql(query, 10_000));
  expect(laidOut).toBe(want);
  expect(layOutLogql(parseLogql(laidOut, 10_000))).toBe(want);
});
