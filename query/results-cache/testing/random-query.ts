import fc from "fast-check";
import { SIGNATURES } from "../../promql/parse/signatures.ts";

/** Random well-typed queries over the metrics `c_total`, `g`, `h` and `cb_bucket`, as text. */
export function randomQuery(depth = 3): fc.Arbitrary<string> {
  return vector(depth);
}

const DURATIONS = ["15s", "1m", "2m30s", "5m"];
const duration = fc.constantFrom(...DURATIONS);
const offset = fc.oneof(
  { weight: 4, arbitrary: fc.constant("") },
  duration.map((text) => ` offset ${text}`),
  duration.map((text) => ` offset -${text}`),
);
const metric = fc.constantFrom("c_total", "g", "h", "cb_bucket", '{__name__=~"c_total|g"}', "none");
const matcher = fc.constantFrom("", '{job="a"}', '{job!="a"}', '{pod=~"p[0-2]"}', '{pod=""}');
const selector = fc
  .tuple(metric, matcher)
  .map(([name, braces]) =>
    name.startsWith("{") && braces !== "" ? `${name.slice(0, -1)},${braces.slice(1)}` : name + braces,
  );
const scalar = fc.oneof(
  fc.constantFrom("0", "1", "2", "-1", "0.5", "0.9", "3", "NaN", "time()", "pi()"),
  fc.constant('scalar(g{pod="p0"})'),
);
const label = fc.constantFrom("job", "pod", "le", "__name__");
const AGGREGATORS = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"];
const WITH_PARAMETER = ["topk", "bottomk", "quantile", "limitk", "limit_ratio"];
const OPERATORS = [
  "+",
  "-",
  "*",
  "/",
  "%",
  "^",
  "atan2",
  "==",
  "!=",
  ">",
  "<",
  ">=",
  "<=",
  "> bool ",
  "and",
  "or",
  "unless",
];
/** Called in ways of their own below. */
const SPECIAL = new Set([
  "label_replace",
  "label_join",
  "sort_by_label",
  "sort_by_label_desc",
  "histogram_quantiles",
  "info",
]);
const CALLS = [...SIGNATURES.values()].filter(({ name, returns }) => returns === "vector" && !SPECIAL.has(name));

function vector(depth: number): fc.Arbitrary<string> {
  const instant = fc
    .tuple(selector, fc.constantFrom("", "", "", " smoothed", " anchored"), offset)
    .map((parts) => parts.join(""));
  if (depth <= 0) return instant;
  const inner = vector(depth - 1);
  return fc.oneof(
    { weight: 1, arbitrary: instant },
    { weight: 5, arbitrary: call(depth) },
    { weight: 3, arbitrary: aggregate(inner) },
    { weight: 2, arbitrary: binary(inner) },
    { weight: 1, arbitrary: inner.map((text) => `label_replace(${text}, "job", "$1", "pod", "(.*)")`) },
    { weight: 1, arbitrary: inner.map((text) => `sort_by_label(${text}, "pod")`) },
    { weight: 1, arbitrary: inner.map((text) => `-(${text})`) },
    { weight: 1, arbitrary: scalar.map((text) => `vector(${text})`) },
  );
}

function call(depth: number): fc.Arbitrary<string> {
  return fc.constantFrom(...CALLS).chain(({ name, argTypes, variadic }) => {
    const required = variadic === 0 ? argTypes : argTypes.slice(0, argTypes.length - 1);
    const args = required.map((type) => {
      if (type === "matrix") return matrix(depth - 1);
      return type === "scalar" ? scalar : vector(depth - 1);
    });
    return fc.tuple(...args).map((texts) => `${name}(${texts.join(", ")})`);
  });
}

function matrix(depth: number): fc.Arbitrary<string> {
  const range = fc
    .tuple(selector, duration, fc.constantFrom("", "", "", "", " smoothed", " anchored"), offset)
    .map(([text, length, extend, shift]) => `${text}[${length}]${extend}${shift}`);
  if (depth <= 0) return range;
  const subquery = fc
    .tuple(vector(depth - 1), duration, fc.constantFrom("15s", "40s", "1m"), offset)
    .map(([text, length, step, shift]) => `(${text})[${length}:${step}]${shift}`);
  return fc.oneof({ weight: 3, arbitrary: range }, { weight: 1, arbitrary: subquery });
}

function aggregate(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const grouping = fc.oneof(
    fc.constant(""),
    fc.uniqueArray(label, { maxLength: 2 }).map((labels) => ` by (${labels.join(",")})`),
    fc.uniqueArray(label, { maxLength: 2 }).map((labels) => ` without (${labels.join(",")})`),
  );
  return fc.oneof(
    fc.tuple(fc.constantFrom(...AGGREGATORS), grouping, inner).map(([op, by, text]) => `${op}${by} (${text})`),
    fc
      .tuple(fc.constantFrom(...WITH_PARAMETER), grouping, scalar, inner)
      .map(([op, by, k, text]) => `${op}${by} (${k}, ${text})`),
    fc.tuple(grouping, inner).map(([by, text]) => `count_values${by} ("value", ${text})`),
  );
}

function binary(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const withScalar = fc.tuple(inner, fc.constantFrom(...OPERATORS.slice(0, 14)), scalar);
  const matching = fc.constantFrom("", "", " on (job, pod)", " ignoring (le)", " on (job)");
  return fc.oneof(
    withScalar.map(([left, op, right]) => `(${left}) ${op} ${right}`),
    fc
      .tuple(inner, fc.constantFrom(...OPERATORS), matching, inner)
      .map(([left, op, on, right]) => `(${left}) ${op}${on} (${right})`),
  );
}
