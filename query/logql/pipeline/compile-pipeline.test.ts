import { describe, expect, test } from "vitest";
import { parseLogql } from "../parse/parse-logql.ts";
import { type CompiledPipeline, compilePipeline } from "./compile-pipeline.ts";

function compile(stages: string): CompiledPipeline {
  const expr = parseLogql(`{app="a"} ${stages}`, 10_000);
  return compilePipeline(expr.kind === "log" ? expr.stages : [], { maxOutputCharacters: 1_000 });
}

describe("line filters go to the store as far as the line is still the record's", () => {
  test.each<[string, string[], number]>([
    ['|= "a" != "b" or "c"', ["|= a", "!= b", "!= c"], 0],
    ['|= "a.b" or "c"', ["|~ (?:a\\.b)|(?:c)"], 0],
    ['|~ "x+" or "y"', ["|~ (?:x+)|(?:y)"], 0],
    ['| json |= "a"', ["|= a"], 1],
    ['| json | x="1" |= "a"', ["|= a"], 2],
    ['| line_format "x" |= "a"', [], 2],
    ['| decolorize |= "a"', ["|= a"], 1],
    ['|> "<_>a<_>b"', ["|= a", "|= b"], 1],
    ['|= ip("1.2.3.4") or "x"', [], 1],
    ['!> "a<_>"', [], 1],
  ])("%s", (stages, pushed, left) => {
    const compiled = compile(stages);
    expect(compiled.pushed.map(({ op, text }) => `${op} ${text}`)).toEqual(pushed);
    expect(compiled.stagesAfterStore).toHaveLength(left);
  });
});

test.each<[string, string[]]>([
  ['| trace_id="x" and user="u"', ["trace_id=x", "user=u"]],
  ['| a="1" |= "x" | b="2"', ["a=1", "b=2"]],
  ['| json | a="1"', []],
  ['| drop b | a="1"', []],
  ['| a="1" or b="2"', []],
  ['| a!="1" | b=~"x" | c="" | d>5 | detected_level="info" | e_extracted="x" | __error__="x"', ["a!=1", "b=~x", "c="]],
  ['| a=~"x.*" | scope_name="b"', ["a=~(?-s:x.*)"]],
])("of %s the store may know %j", (stages, want) => {
  expect(compile(stages).fields.map(({ name, op, value }) => name + op + value)).toEqual(want);
});
