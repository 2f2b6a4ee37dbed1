import { compileRegex } from "@sightline/model/regex.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseLogql } from "../parse/parse-logql.ts";
import { compilePipeline } from "./compile-pipeline.ts";
import { impliedLines } from "./implied-lines.ts";
import { LabelBuilder } from "./label-builder.ts";
import { ParserHints } from "./parser-hints.ts";
import { PipelineRow } from "./stage.ts";

function stagesOf(text: string) {
  const expr = parseLogql(`{app="a"} ${text}`, 10_000);
  return expr.kind === "log" ? expr.stages : [];
}

/** Whether all hints let the line through. */
function isImplied(stages: string, line: string): boolean {
  return impliedLines(stagesOf(stages)).every(({ text }) => compileRegex(text).matchesSomewhere(line));
}

function passes(stages: string, line: string): boolean {
  const { stages: compiled } = compilePipeline(stagesOf(stages), { maxOutputCharacters: 1_000 });
  const row = new PipelineRow(new LabelBuilder(new ParserHints({})));
  row.line = line;
  row.labels.reset([["app", "a"]], []);
  return compiled.every((stage) => stage.apply(row));
}

test.each([
  ["| json | status >= 500", '{"status":200}', false],
  ["| json | status >= 500", '{"status":"200.5"}', false],
  ["| json | status >= 500", '{"status" : 501, "a":1}', true],
  ["| json | status >= 500", '{"a":{"status":1000}}', true],
  ["| json | status >= 500", '{"status":4e5}', true],
  ["| json | status >= 500", '{"status":"abc"}', true],
  ["| json | status >= 500", '{"status":"5}"}', true],
  ["| json | http_status < 500", '{"http":{"status":501}}', false],
  ["| json | http_status < 500", '{"http":{"status":-500}}', true],
  ["| json | http_status < 500", '{"http":{"status":0500}}', true],
  ["| json | status == 50", '{"status":50.0}', true],
  ["| json | status == 50", '{"status":501}', false],
  ['| json | user="u-1"', '{"user":"u-2"}', false],
  ['| json | user="u-1"', '{"us\\u0065r":"u-2"}', true],
  ['| json | user="u-1"', '{"user":{"":"u-1"}}', true],
  ["| logfmt | status >= 500", "level=info status=200", false],
  ["| logfmt | status >= 500", 'status="500"', true],
  ["| logfmt | status >= 500", "status=200,", true],
  ["| logfmt | status >= 500", 'status="200 "', true],
  ["| logfmt | duration > 5s", "took=6s", false],
  ["| logfmt | duration > 5s", "duration=1s", true],
])("%s: %s may pass: %s", (stages, line, may) => expect(isImplied(stages, line)).toBe(may));

test.each([
  "| status >= 500",
  '| json | level=""',
  '| json | user!="u-1"',
  '| json | user=~"u-1|"',
  '| json | a="1" or b="2"',
  '| json code="status" | code="1"',
  '| regexp `(?P<status>.*)` | json | status="1"',
  '| line_format `{{.x}}` | json | status="1"',
  '| logfmt --keep-empty | status="1"',
  '| json | __error__="x"',
  '| json | detected_level="error"',
])("nothing is said of lines for %s", (stages) => expect(impliedLines(stagesOf(stages))).toEqual([]));

const key = fc.constantFrom("a", "b", "a_b", "a.b", "a-b", " a", "a\u00a0", "ä", "5", "");
const number = fc.oneof(
  fc.integer({ min: -120, max: 1_200 }).map(String),
  fc.constantFrom("0", "007", "12.5", "99.99", "100.0", "1e3", "1_0", ".5", "5.", "0x1p4", "Inf", "-1.5"),
);
const word = fc.oneof(number, fc.constantFrom("", "x", "x y", "u-1", 'q"', "back\\", "5,", "5}", "\ufffd"));
const member = fc.oneof(word, fc.integer({ min: -120, max: 1_200 }), fc.constant(null), fc.boolean());
const object = fc.dictionary(key, fc.oneof(member, fc.dictionary(key, member), fc.array(member, { maxLength: 2 })));
const line = fc.oneof(
  fc.tuple(object, fc.constantFrom(0, 1)).map(([members, spaces]) => JSON.stringify(members, null, spaces)),
  object.map((members) => JSON.stringify(members).slice(0, -2)),
  fc.array(fc.tuple(key, word)).map((pairs) => pairs.map(([name, text]) => `${name}=${text}`).join(" ")),
  fc
    .array(fc.tuple(key, word))
    .map((pairs) => pairs.map(([name, text]) => `${name}=${JSON.stringify(text)}`).join(" ")),
);
const label = fc.constantFrom("a", "b", "a_b", "_5", "a_a_b");
const filter = fc.oneof(
  fc
    .tuple(label, fc.constantFrom("==", "!=", ">", ">=", "<", "<="), fc.constantFrom(0, 5, 9, 12.5, 99, 100, 999, 1000))
    .map((parts) => parts.join("")),
  fc
    .tuple(label, fc.constantFrom("=", "!=", "=~", "!~"), fc.constantFrom("", "x", "5", "u-1", "12.5", "5,", "x|"))
    .map(([name, op, text]) => `${name}${op}"${text}"`),
);
const query = fc
  .tuple(
    fc.constantFrom("| json", "| logfmt", "| json | logfmt", "| json | drop b"),
    fc.array(filter, { minLength: 1 }),
  )
  .map(([parser, filters]) => `${parser} | ${filters.join(" | ")}`);

test("a line that passes has what is implied", () => {
  fc.assert(
    fc.property(query, line, (stages, text) => {
      fc.pre(passes(stages, text));
      expect(isImplied(stages, text)).toBe(true);
    }),
    { numRuns: rounds(150) },
  );
});
