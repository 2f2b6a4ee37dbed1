import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import type { LogRow } from "@sightline/storage-conformance/log-batch-of.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { engineOver, SECOND_NS } from "./logql-test-store.ts";
import { parseLogql } from "./parse/parse-logql.ts";
import { RowPrefilter } from "./row-prefilter.ts";

const LIMITS = { maxOutputCharacters: 1_000 };

test.each([
  ["| json | status >= 500", true],
  ["| logfmt | level=`error` | line_format `x`", true],
  ["| user_id=`u-1`", true],
  ["| json", false],
  ["|= `x`", false],
  ["| line_format `{{.a}}` | json | a=`b`", false],
  ["| json | __error__=``", false],
  ["| json | addr=ip(`10.0.0.0/8`)", false],
])("%s: filters early: %s", (stages, does) => {
  const expr = parseLogql(`{app="a"} ${stages}`, 1_000);
  expect(expr.kind === "log" && RowPrefilter.of(expr.stages, LIMITS) !== undefined).toBe(does);
});

const value = fc.constantFrom("a", "b", "5", "50", "12ms", "error", "");
const key = fc.constantFrom("x", "y", "st\u0061tus", "a_b", "app", "level");
const object = fc.dictionary(key, fc.oneof(value, fc.integer({ min: 0, max: 60 }), fc.dictionary(key, value)));
const line = fc.oneof(
  object.map((members) => JSON.stringify(members)),
  object.map((members) => JSON.stringify(members).slice(0, -3)),
  fc.array(fc.tuple(key, value)).map((pairs) => pairs.map(([name, text]) => `${name}=${text}`).join(" ")),
  fc.constantFrom("", "plain", '{"x":', 'x="open', '{"\\u0078":"a"}'),
);
const row: fc.Arbitrary<Omit<LogRow, "timeNs">> = fc.record({
  body: line,
  labels: fc.constantFrom({ app: "a" }, { app: "a", x: "b" }),
  severity: fc.constantFrom(0, 9, 17),
  attributes: fc
    .uniqueArray(fc.tuple(fc.constantFrom("y", "a.b", "level"), value), { selector: ([name]) => name, maxLength: 2 })
    .map((pairs) => pairs.map(([name, text]) => ({ name, type: "string" as const, value: text }))),
});
const name = fc.constantFrom("x", "y", "status", "a_b", "x_a", "level", "x_extracted", "detected_level", "app");
const filter = fc.oneof(
  fc.tuple(name, fc.constantFrom("=", "!="), value).map(([label, op, text]) => `| ${label}${op}"${text}"`),
  fc.tuple(name, fc.constantFrom(">", "<="), fc.integer({ max: 60, min: 0 })).map((parts) => `| ${parts.join("")}`),
  fc.tuple(name, name, value).map(([a, b, text]) => `| ${a}="${text}" or ${b}=~"${text}|5."`),
);
const stage = fc.oneof(
  filter,
  filter,
  fc.constantFrom("| json", "| logfmt", "| json x=`y`", "|= `a`", "| __error__=``"),
);

test("drops nothing that all stages keep, and nothing less", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 12 }),
      fc.array(stage, { maxLength: 5 }),
      async (rows, stages) => {
        const engine = await engineOver(rows.map((one, i) => ({ ...one, timeNs: BigInt(i) })));
        const ask = async (pipeline: string) => {
          const { value: answer } = await engine.range(`{app="a"} ${pipeline}`, {
            tenant: DEFAULT_TENANT,
            startNs: 0n,
            endNs: SECOND_NS,
            stepNs: SECOND_NS,
            intervalNs: 0n,
            limit: 100,
            newestFirst: false,
            signal: new AbortController().signal,
          });
          return answer;
        };
        // Behind a stage that it does not understand there is no early filter.
        expect(await ask(stages.join(" "))).toEqual(await ask(`| drop no_such_label ${stages.join(" ")}`));
      },
    ),
    { numRuns: rounds(100) },
  ));
