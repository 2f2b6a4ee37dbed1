import { unquote } from "@sightline/model/go-quote.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import { parseDuration } from "../format/duration.ts";
import { numberValue } from "../parse/parse-number.ts";
import { parsePromql } from "../parse/parse-promql.ts";
import { parseMetric, parseSeriesLine } from "./parse-series.ts";
import {
  type Command,
  type EvalCommand,
  type Expectation,
  type LoadCommand,
  ScriptError,
  type SeriesLine,
} from "./script.ts";

const LOAD = /^load(?:_(with_nhcb))?\s+(.+?)$/;
const EVAL_INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)$/;
const EVAL_RANGE = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)$/;
const EXPECT = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/;
const RANGE_VECTOR = /^expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)$/;
const START_LINE = /^(\S+)@st\s+(.*)$/;

/** Reads a script in the language of Prometheus' promqltest. Throws {@link ScriptError}. */
export function parseScript(text: string): Command[] {
  const lines = text.split("\n").map((line) => (line.trim().startsWith("#") ? "" : line.trim()));
  const commands: Command[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line === "") continue;
    // A command reaches to the next empty line.
    let end = at + 1;
    while (end < lines.length && lines[end] !== "") end++;
    const word = line.split(/[\t ]+/)[0]?.toLowerCase() ?? "";
    if (word === "clear") {
      commands.push({ kind: "clear", line: at + 1 });
    } else if (word.startsWith("load")) {
      commands.push(parseLoad(line, lines.slice(at + 1, end), at + 1));
      at = end;
    } else if (word.startsWith("eval")) {
      const { command, used } = parseEval(line, lines.slice(at + 1, end), at + 1);
      commands.push(command);
      at += used;
    } else throw new ScriptError(at + 1, `invalid command ${JSON.stringify(line)}`);
  }
  return commands;
}

function durationAt(text: string, line: number): number {
  const negative = text.startsWith("-");
  const durationMs = parseDuration(negative ? text.slice(1) : text);
  if (durationMs === undefined) throw new ScriptError(line, `not a valid duration string: ${JSON.stringify(text)}`);
  return negative ? -durationMs : durationMs;
}

function seriesAt(text: string, line: number): SeriesLine {
  try {
    return parseSeriesLine(text);
  } catch (cause) {
    throw new ScriptError(line, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function parseLoad(head: string, body: readonly string[], line: number): LoadCommand {
  const match = LOAD.exec(head);
  if (!match) throw new ScriptError(line, "invalid load command. (load[_with_nhcb] <step:duration>)");
  const series: LoadCommand["series"][number][] = [];
  let starts: readonly (number | undefined)[] | undefined;
  for (const [index, text] of body.entries()) {
    const startLine = START_LINE.exec(text);
    if (startLine) {
      parseMetric(startLine[1] as string);
      starts = (startLine[2] as string).split(/\s+/).flatMap((item) => parseStarts(item, line + index + 1));
      continue;
    }
    const parsed = seriesAt(text, line + index + 1);
    series.push(starts ? { ...parsed, starts } : parsed);
    starts = undefined;
  }
  const gapMs = durationAt(match[2] as string, line);
  return { kind: "load", line, gapMs, withCustomBuckets: match[1] !== undefined, series };
}

/** `-1m`, `-1mx3`, `-1m+10sx3`, `_`, `_x3`: start times relative to their samples. */
function parseStarts(item: string, line: number): (number | undefined)[] {
  const none = /^_(?:x(\d+))?$/.exec(item);
  if (none) return new Array(Number(none[1] ?? 1)).fill(undefined);
  const match = /^([+-]?)(\d+[a-z]*?)(?:([+-])(\d+[a-z]*?))?(?:x(\d+))?$/.exec(item);
  if (!match) throw new ScriptError(line, `invalid ST item ${JSON.stringify(item)}`);
  const [, sign, base = "", stepSign, step, times = "0"] = match;
  const baseMs = durationAt(base, line) * (sign === "-" ? -1 : 1);
  const stepMs = step === undefined ? 0 : durationAt(step, line) * (stepSign === "-" ? -1 : 1);
  return Array.from({ length: Number(times) + 1 }, (_, i) => baseMs + i * stepMs);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function parseEval(head: string, body: readonly string[], line: number): { command: EvalCommand; used: number } {
  const command = parseEvalHead(head, line);
  let used = 0;
  for (const [index, text] of body.entries()) {
    used = index + 1;
    if (!parseExpectation(command, text, line + used)) continue;
    // A number or an old-style message ends the command even without an empty line.
    if (command.scalar !== undefined || /^expected_fail/.test(text)) break;
  }
  return { command: command as EvalCommand, used };
}

function parseEvalHead(head: string, line: number): Mutable<EvalCommand> {
  const instant = EVAL_INSTANT.exec(head);
  const range = EVAL_RANGE.exec(head);
  if (!instant && !range) throw new ScriptError(line, "invalid evaluation command");
  const modifier = instant ? instant[1] : range?.[1];
  const text = (instant ? instant[3] : range?.[5]) as string;
  parsePromql(text);
  const startMs = durationAt((instant ? instant[2] : range?.[2]) ?? "0", line);
  return {
    kind: "eval",
    line,
    text,
    startMs,
    endMs: range ? durationAt(range[3] as string, line) : startMs,
    stepMs: range ? durationAt(range[4] as string, line) : 0,
    ordered: modifier === "ordered",
    fail: modifier === "fail" ? [] : undefined,
    warn: [],
    info: [],
    someWarn: modifier === "warn",
    someInfo: modifier === "info",
    noWarn: false,
    noInfo: false,
    scalar: undefined,
    string: undefined,
    rangeVector: undefined,
    series: [],
  };
}

/** Takes one line that says what is expected. True when it may be the last. */
function parseExpectation(command: Mutable<EvalCommand>, text: string, line: number): boolean {
  if (text.startsWith("expected_fail_message")) {
    command.fail = [equalTo(text.slice("expected_fail_message".length).trim())];
    return true;
  }
  if (text.startsWith("expected_fail_regexp")) {
    command.fail = [matching(text.slice("expected_fail_regexp".length).trim(), line)];
    return true;
  }
  const vector = RANGE_VECTOR.exec(text);
  if (vector) {
    const [startMs, endMs, stepMs] = vector.slice(1).map((part) => durationAt(part, line)) as [number, number, number];
    command.rangeVector = { startMs, endMs, stepMs };
    command.endMs = endMs;
    return false;
  }
  if (text.startsWith("expect string ")) {
    command.string = unquote(text.slice("expect string ".length));
    return false;
  }
  if (text.split(" ")[0] === "expect") {
    parseExpect(command, text, line);
    return false;
  }
  const number = scalarOf(text);
  if (number !== undefined) {
    command.scalar = number;
    return true;
  }
  command.series = [...command.series, seriesAt(text, line)];
  return false;
}

function scalarOf(text: string): number | undefined {
  const negative = text.startsWith("-");
  const value = numberValue(text.replace(/^[+-]/, ""));
  return value === undefined ? undefined : negative ? -value : value;
}

function parseExpect(command: Mutable<EvalCommand>, text: string, line: number): void {
  const match = EXPECT.exec(text);
  if (!match)
    throw new ScriptError(line, "invalid expect statement, must match `expect <type> <match_type>: <string>`");
  const [, mode, matchType, argument = ""] = match;
  const expectation =
    matchType === "msg" ? equalTo(argument.trim()) : matchType === "regex" ? matching(argument.trim(), line) : ANYTHING;
  switch (mode) {
    case "ordered":
      command.ordered = true;
      break;
    case "fail":
      command.fail = [...(command.fail ?? []), expectation];
      break;
    case "warn":
      command.warn = [...command.warn, expectation];
      break;
    case "info":
      command.info = [...command.info, expectation];
      break;
    case "no_warn":
      command.noWarn = true;
      break;
    case "no_info":
      command.noInfo = true;
      break;
  }
}

const ANYTHING: Expectation = { text: "anything", matches: () => true };

function equalTo(text: string): Expectation {
  return { text, matches: (actual) => actual === text };
}

function matching(source: string, line: number): Expectation {
  try {
    const regex = compileRegex(source);
    return { text: `/${source}/`, matches: (actual) => regex.matchesSomewhere(actual) };
  } catch (cause) {
    throw new ScriptError(line, `invalid regex ${source}`, cause);
  }
}
