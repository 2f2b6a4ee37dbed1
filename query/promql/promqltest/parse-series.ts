import { unquote } from "@sightline/model/go-quote.ts";
import { type CounterResetHint, EMPTY_BUCKETS, type NativeHistogram } from "@sightline/model/histogram.ts";
import { type Labels, labelsFrom, METRIC_NAME } from "@sightline/model/labels.ts";
import { HistogramAccumulator } from "../histogram/histogram-accumulator.ts";
import { encodeBuckets } from "../histogram/spans.ts";
import type { SeriesLine, Value } from "./script.ts";

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const STRING = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/y;
const NUMBER = "(?:(?:\\d[\\d_]*\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?|[iI][nN][fF]|[nN][aA][nN])";
/** Letters and `x3` would be one word. */
const REPEATS = "(?<![a-zA-Z])x(\\d+)";
const FLOATS = new RegExp(`^([+-]?${NUMBER})(?:([+-]${NUMBER})(?=x))?(?:${REPEATS})?$`);
const REPEATED = /^(_|stale$)(?:x(\d+))?$/;
const HISTOGRAMS = /^(\{\{[^}]*\}\})(?:([+-])(\{\{[^}]*\}\})(?=x))?(?:x(\d+))?$/;
/** What the lexer takes for something else than the name of a metric. */
const NO_METRIC = /^\s*(?:(?:inf|nan|bool)(?![\w:])|[a-zA-Z_:][\w:]*\s+\{(?!\{))/i;
const HINTS: Readonly<Record<string, CounterResetHint>> = { unknown: 0, reset: 1, not_reset: 2, gauge: 3 };

/** `metric{label="value"} 1 2 _ 3+1x5 {{count:3}}`. Throws an Error that says what was not understood. */
export function parseSeriesLine(text: string): SeriesLine {
  if (NO_METRIC.test(text)) throw new Error(`expected a metric at the beginning of ${JSON.stringify(text)}`);
  const { labels, end } = parseMetric(text);
  return { labels, values: splitValues(text.slice(end)).flatMap(parseItem) };
}

/** The labels at the beginning of a line, and where they end. */
export function parseMetric(text: string): { labels: Labels; end: number } {
  const pairs: [string, string][] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0];
    at += match?.length ?? 0;
    return match;
  };
  const space = () => take(/\s*/y);
  const expect = <T>(value: T | undefined, what: string): T => {
    if (value === undefined) throw new Error(`expected ${what} at character ${at + 1} of ${JSON.stringify(text)}`);
    return value;
  };
  space();
  const name = take(NAME);
  if (name !== undefined) pairs.push([METRIC_NAME, name]);
  space();
  if (text[at] === "{" && text[at + 1] !== "{") {
    at++;
    for (space(); text[at] !== "}"; space()) {
      const quoted = take(STRING);
      const key = quoted === undefined ? expect(take(NAME), "a label name") : expect(unquote(quoted), "a string");
      space();
      if (text[at] === "=") {
        at++;
        space();
        pairs.push([key, expect(unquote(expect(take(STRING), "a quoted value")), "a string")]);
      } else if (quoted !== undefined) pairs.push([METRIC_NAME, key]);
      else expect(undefined, "=");
      space();
      if (text[at] === ",") at++;
      else if (text[at] !== "}") expect(undefined, '"," or "}"');
    }
    at++;
  } else if (name === undefined) expect(undefined, "a metric");
  const labels = labelsFrom(pairs);
  const seen = new Set(pairs.map(([key]) => key));
  if (seen.size < pairs.length) throw new Error(`a label name is not unique in ${JSON.stringify(text)}`);
  return { labels, end: at };
}

/** Items are separated by spaces, but those of histograms have spaces inside. */
function splitValues(text: string): string[] {
  return text.match(/(?:\{\{[^}]*\}\}|[^\s{])+/g) ?? [];
}

function parseItem(item: string): Value[] {
  const repeated = REPEATED.exec(item);
  if (repeated) {
    const isStale = repeated[1] === "stale";
    // `_x3` is three times nothing; of everything else, the first comes on top.
    const count = Number(repeated[2] ?? 1);
    return new Array<Value>(count).fill({ kind: isStale ? "stale" : "none" });
  }
  const floats = FLOATS.exec(item);
  if (floats) return floatSequence(parseSigned(floats[1] ?? ""), parseSigned(floats[2] ?? "0"), Number(floats[3] ?? 0));
  const histograms = HISTOGRAMS.exec(item);
  if (histograms) return histogramSequence(histograms);
  throw new Error(`expected a value, got ${JSON.stringify(item)}`);
}

/** A number with sign, as scripts write them: `-Inf`, `1_000`, `1e3`. */
function parseSigned(text: string): number {
  const [, sign = "", digits = ""] = /^([+-]?)(.*)$/.exec(text) ?? [];
  const lower = digits.toLowerCase().replaceAll("_", "");
  const value = lower === "inf" ? Number.POSITIVE_INFINITY : lower === "nan" ? Number.NaN : Number(lower);
  return sign === "-" ? -value : value;
}

function floatSequence(start: number, increment: number, times: number): Value[] {
  const values: Value[] = [];
  let value = start;
  for (let i = 0; i <= times; i++) {
    values.push({ kind: "float", value });
    value += increment;
  }
  return values;
}

function histogramSequence([, first = "", sign, increment, times = "0"]: RegExpExecArray): Value[] {
  const base = parseHistogram(first);
  const step = increment === undefined ? undefined : parseHistogram(increment);
  const hintGiven = (step ?? base).hintGiven;
  const values: Value[] = [];
  let { histogram } = base;
  for (let i = 0; i <= Number(times); i++) {
    values.push({ kind: "histogram", histogram, hintGiven });
    if (!step || i === Number(times)) continue;
    const sum = new HistogramAccumulator(histogram);
    sum.add(step.histogram, sign === "-" ? -1 : 1);
    histogram = sum.toHistogram();
  }
  return values;
}

/** `{{schema:1 sum:3 count:22 buckets:[5 10 7]}}`. */
function parseHistogram(text: string): { histogram: NativeHistogram; hintGiven: boolean } {
  const fields = new Map<string, string>();
  for (const [, key = "", value = ""] of text.slice(2, -2).matchAll(/(\w+):(\[[^\]]*\]|\S+)/g)) {
    if (!KEYS.has(key)) throw new Error(`bad histogram descriptor found: ${JSON.stringify(key)}`);
    if (fields.has(key)) throw new Error(`duplicate key ${JSON.stringify(key)} in histogram`);
    fields.set(key, value);
  }
  const number = (key: string) => parseSigned(fields.get(key) ?? "0");
  const list = (key: string) => (fields.get(key) ?? "[]").slice(1, -1).split(/\s+/).filter(Boolean).map(parseSigned);
  const buckets = (key: string, offsetKey: string) => {
    const counts = list(key);
    const spans = counts.length === 0 ? [] : [{ offset: number(offsetKey), length: counts.length }];
    return { spans, buckets: counts.length === 0 ? EMPTY_BUCKETS : Float64Array.from(counts) };
  };
  const positive = buckets("buckets", "offset");
  const negative = buckets("n_buckets", "n_offset");
  const histogram: NativeHistogram = {
    schema: number("schema"),
    zeroThreshold: number("z_bucket_w"),
    zeroCount: number("z_bucket"),
    count: number("count"),
    sum: number("sum"),
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: negative.spans,
    negativeBuckets: negative.buckets,
    customValues: Float64Array.from(list("custom_values")),
    counterResetHint: HINTS[fields.get("counter_reset_hint") ?? "unknown"] ?? 0,
  };
  return { histogram, hintGiven: fields.has("counter_reset_hint") };
}

const KEYS = new Set(
  "schema sum count z_bucket z_bucket_w custom_values buckets offset n_buckets n_offset counter_reset_hint".split(" "),
);

/** Classic buckets by upper bound as one histogram with custom buckets; `buckets` ascends and ends with +Inf. */
export function customBucketHistogram(
  buckets: readonly (readonly [upper: number, cumulative: number])[],
  count: number,
  sum: number,
): NativeHistogram {
  let before = 0;
  const counts = buckets.map(([, cumulative], index): [number, number] => {
    const own = cumulative - before;
    before = cumulative;
    return [index, own];
  });
  const positive = encodeBuckets(counts);
  return {
    schema: -53,
    zeroThreshold: 0,
    zeroCount: 0,
    count,
    sum,
    positiveSpans: positive.spans,
    positiveBuckets: positive.buckets,
    negativeSpans: [],
    negativeBuckets: EMPTY_BUCKETS,
    customValues: Float64Array.from(buckets.slice(0, -1), ([upper]) => upper),
    counterResetHint: 0,
  };
}
