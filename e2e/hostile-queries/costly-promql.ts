import { doubledLabel, list, nest, repeat } from "./hostile-text.ts";

/**
 * A query that would take more than there is, and what comes of it. `big` has 40,000 series, `mod` 200 values.
 * `answer`: what it asks for is not too much. A range is the last 600 s or 11,000 s by seconds.
 */
export type CostlyQuery = readonly [
  name: string,
  query: string,
  outcome: RegExp | "answer",
  range?: "600 steps" | "11,000 steps",
];

const SAMPLES = /query\.max_samples/;
const SUBQUERY_STEPS = /query\.max_subquery_steps/;
const OPERATIONS = /query\.max_series_operations/;
const SUBQUERY_SAMPLES = /query\.max_subquery_samples/;
const LABELS = /query\.max_label_characters/;
const MATCHES = /found duplicate series for the match group/;

const STEPS: readonly CostlyQuery[] = [
  ["a subquery by milliseconds over years", "count_over_time(big[3y:1ms])", SUBQUERY_STEPS],
  ["one of a constant", "sum_over_time(vector(1)[3y:1ms])", SUBQUERY_STEPS],
  ["36 million steps of a constant", "sum_over_time(vector(1)[10h:1ms])", SUBQUERY_STEPS],
  ["a step longer than the range", "rate(big[1y:290y])", "answer"],
  ["a million steps of a constant", "sum_over_time(vector(1)[1000s:1ms])", "answer"],
  ["a million steps of 30 operators", `max_over_time(vector(time()${repeat("+time()", 30)})[1000s:1ms])`, "answer"],
  ["a million steps of 40,000 series", "count_over_time(big[1000s:1ms])", SAMPLES],
  ["subqueries in subqueries", nest("max_over_time(", "big", "[1h:1s])", 3), SAMPLES],
  ["50 subqueries in subqueries", nest("max_over_time(", "vector(1)", "[5m:1m])", 50), "answer"],
  ["11,000 steps of 40,000 series", "big", SAMPLES, "11,000 steps"],
  ["rates at 11,000 steps", "rate(big[10m])", SAMPLES, "11,000 steps"],
  ["quantiles at 11,000 steps", "quantile by (mod) (0.9, big)", SAMPLES, "11,000 steps"],
  ["products at 11,000 steps", "big * big", SAMPLES, "11,000 steps"],
  ["values counted at 11,000 steps", 'count_values("v", big)', SAMPLES, "11,000 steps"],
  ["all metrics at 11,000 steps", '{__name__=~".+"}', SAMPLES, "11,000 steps"],
  ["a subquery at every step", "max_over_time(rate(big[10m])[1h:1s])", SAMPLES, "600 steps"],
  ["a chain of vectors at every step", `big${repeat(" + big", 30)}`, OPERATIONS, "600 steps"],
  [
    "a chain of alternatives at every step",
    list(30, (i) => `label_replace(big, "i", "${i}_$1", "i", "(.*)")`, " or "),
    OPERATIONS,
    "600 steps",
  ],
  [
    "seconds of a day, at each second of a day",
    nest("quantile_over_time(0.3, ", "vector(time())", "[1d:1s])", 2),
    SUBQUERY_SAMPLES,
  ],
  [
    "300 subqueries of an hour's seconds in each other",
    nest("sum_over_time(", "vector(1)", "[1h:1s])", 300),
    SUBQUERY_SAMPLES,
  ],
  ["five hours of seconds, at 11,000 steps", "predict_linear(vector(time())[6h:1s], 5)", "answer", "11,000 steps"],
  ["a range of 290 years", "count(count_over_time(big[290y]))", "answer"],
  ["the past of 290 years ago", "big offset 290y", "answer"],
  ["the future in 290 years", "big offset -290y", "answer"],
  ["the end of time", "big @ 8e15", "answer"],
  ["the end of time and back", "big @ 1e15 offset -200y", "answer"],
];

const MATCHING: readonly CostlyQuery[] = [
  ["every series with every other", "big * ignoring (i, mod) big", MATCHES],
  ["all series on no label", "big * on () big", MATCHES],
  ["200 series with 200 series, 200 times", "big * on (mod) big", MATCHES],
  ["the same with group_left", "big * on (mod) group_left big", MATCHES],
  ["all series with one", "count(big * on () group_left vector(1))", "answer"],
  ["40,000 series in sets", "count(big and on (mod) big unless big or big)", "answer"],
  ["on 5,000 labels", `count(big + on (i, ${list(5_000, (i) => `l${i}`)}) big)`, "answer"],
  ["group_left with 5,000 labels", `count(big * on (i) group_left (${list(5_000, (i) => `l${i}`)}) big)`, "answer"],
  ["grouped by 10,000 labels", `count by (${list(10_000, (i) => `l${i}`)}) (big)`, "answer"],
  ["sorted by 10,000 labels", `sort_by_label(big${list(10_000, (i) => `, "l${i}"`, "")})`, "answer"],
];

const CHAINS: readonly CostlyQuery[] = [
  ...["+", "or", "and", "unless on (i)", ">= bool", "* on (i) group_left ()", "* on (i) group_right ()"].map(
    (op): CostlyQuery => [`900 times ${op}`, `big${repeat(` ${op} big`, 900)}`, OPERATIONS],
  ),
  ...["abs(", "sort(", "sum by (i) (", "topk(40000, ", "limit_ratio(0.99, ", "quantile by (i) (0.5, "].map(
    (call): CostlyQuery => [`400 times ${call}…)`, nest(call, "big", ")", 400), OPERATIONS],
  ),
  ["499 times -", `${repeat("-", 499)}big`, OPERATIONS],
  ["400 values counted", nest('count_values by (i) ("v", ', "big", ")", 400), OPERATIONS],
  ["400 labels replaced", nest("label_replace(", "big", ', "x", "$1", "i", "(.*)")', 400), OPERATIONS],
  ["300 labels joined", nest("label_join(", "big", ', "x", "-", "i", "mod")', 300), OPERATIONS],
  ["300 times info", nest("info(", "big", ")", 300), OPERATIONS],
  ["200 scalars of everything", list(200, () => 'scalar({__name__=~".+"})', " + "), OPERATIONS],
  ["200 counts of everything", list(200, () => 'count({__name__=~".+"})', " + "), OPERATIONS],
  ["100 subqueries", nest("avg_over_time(", "big", "[5m:1m])", 100), OPERATIONS],
];

const LABEL_BOMBS: readonly CostlyQuery[] = [
  ["a label doubled 30 times", doubledLabel(30), LABELS],
  ["a label doubled 8 times", `count(${doubledLabel(8)})`, LABELS],
  ["a replacement of 900 kB", `label_replace(big, "a", "${repeat("x", 900_000)}", "i", ".*")`, LABELS],
  ["a replacement of 100,000 references", `label_replace(big, "a", "${repeat("$1", 100_000)}", "i", "(.*)")`, LABELS],
  [
    "references to references",
    nest("label_replace(", 'label_replace(big, "a", "$1", "i", "(.*)")', ', "a", "$1$1$1$1", "a", "(.*)")', 20),
    LABELS,
  ],
  ["a separator of 100,000 characters", `label_join(big, "a", "${repeat("s", 100_000)}", "i", "mod", "i")`, LABELS],
  ["a label with a name of 900 kB", `label_replace(big, "${repeat("n", 900_000)}", "$1", "i", "(.*)")`, LABELS],
  ["values counted under such a name", `count_values("${repeat("n", 900_000)}", big)`, LABELS],
  ["labels joined under it", `label_join(big, "${repeat("n", 900_000)}", ",", "i")`, LABELS],
  ["10,000 labels joined", `label_join(big, "a", ","${repeat(', "i"', 10_000)})`, LABELS],
  [
    "all series made one",
    'label_replace(big, "i", "", "", "")',
    /vector cannot contain metrics with the same labelset/,
  ],
  ["a bad expression", 'label_replace(big, "a", "", "i", "(")', /invalid regular expression in label_replace\(\): \(/],
  ["no name for a label", 'label_join(big, "", ",", "i")', /invalid destination label name in label_join\(\)/],
  ["every value a label", 'count(count_values("v", big))', "answer"],
  ["a count without a name", 'count_values("", big)', /invalid label name ""/],
  ["a count under bad UTF-8", 'count_values("\\xff", big)', /invalid label name "\\xff"/],
];

const PARAMETERS: readonly CostlyQuery[] = [
  ["topk of 1e18", "count(topk(1e18, big))", "answer"],
  ["topk of -1", "topk(-1, big)", "answer"],
  ["topk of NaN", "topk(NaN, big)", /Parameter value is NaN/],
  ["topk of infinity", "topk(Inf, big)", /Scalar value \+Inf overflows int64/],
  ["topk of 1e300", "topk(1e300, big)", /Scalar value 1e\+300 overflows int64/],
  ["bottomk of 2^63", "bottomk(9223372036854775808, big)", /overflows int64/],
  ["limitk of 1e18", "count(limitk(1e18, big))", "answer"],
  ["limitk of NaN", "limitk(NaN, big)", /Parameter value is NaN/],
  ["limitk of infinity", "limitk(Inf, big)", /Scalar value \+Inf overflows int64/],
  ["limit_ratio of 1e9", "count(limit_ratio(1e9, big))", "answer"],
  ["limit_ratio of -1e300", "count(limit_ratio(-1e300, big))", "answer"],
  ["limit_ratio of -infinity", "count(limit_ratio(-Inf, big))", "answer"],
  ["limit_ratio of NaN", "limit_ratio(NaN, big)", /Ratio value is NaN/],
  ["the quantile NaN", "quantile(NaN, big)", "answer"],
  ["the quantile infinity", "quantile(Inf, big)", "answer"],
  ["a quantile of time", "quantile(time(), big)", "answer", "600 steps"],
  ["the quantile NaN over time", "count(quantile_over_time(NaN, big[10m]))", "answer"],
  ["the histogram quantile NaN", "histogram_quantile(NaN, big)", "answer"],
  [
    "300 histogram quantiles",
    `histogram_quantiles(big, "q"${repeat(", 0.5", 300)})`,
    /expected at most 12 argument\(s\)/,
  ],
  ["rounding to 0", "count(round(big, 0))", "answer"],
  ["clamping to NaN", "count(clamp(big, NaN, 1))", "answer"],
  ["a prediction for infinity", "count(predict_linear(big[10m], Inf))", "answer"],
  ["smoothing by 2", "double_exponential_smoothing(big[10m], 2, 2)", /invalid smoothing factor/],
  ["the hour of 1e300", "hour(vector(1e300))", "answer"],
  ["the month of NaN", "month(vector(NaN))", "answer"],
  ["powers of powers", "2^2^2^2^2^2^2", "answer"],
  ["trimming a number", "1 </ 2", /operator "<\/" not allowed for Scalar operations/],
  ["an anchored slope", "deriv(big[5m] anchored)", /anchored modifier can only be used with/],
  ["a million series of nothing", `absent(big{${list(3_000, (i) => `l${i}="v"`)}})`, "answer"],
  ["info about everything", "count(info(big))", "answer"],
];

const REGEXES: readonly CostlyQuery[] = [
  ["1,000 expressions for 40,000 values", `count(big{${list(1_000, (i) => `i!~"${i}.+y|z"`)}})`, "answer"],
  ["(0*)*… for 40,000 values", `count(big{i=~"${repeat("(0*)*", 500)}"})`, "answer"],
  ["(\\d+)+… for 40,000 values", 'count(big{i=~"(\\\\d+)+(\\\\d+)+(\\\\d+)+x?"})', "answer"],
  ["b?…b… for every name", `count({__name__=~"${repeat("b?", 900)}${repeat("b", 900)}"})`, "answer"],
  ["40,000 values excluded one by one", `count(big{${list(40_000, (i) => `i!="${i}"`)}})`, "answer"],
  ["2,000 pairs of values excluded", `count(big{${list(2_000, (i) => `i!~"${i}|x"`)}})`, "answer"],
  [
    "20,000 pairs of values excluded",
    `count(big{${list(20_000, (i) => `i!~"${i}|x"`)}})`,
    /more than 10240 characters/,
  ],
  ["10,000 alternatives for 40,000 values", `count(big{i!~"${list(10_000, (i) => `${i}`, "|")}"})`, "answer"],
  ["1,500 additions in a tree", `(1${repeat("+1", 1_000)})${repeat("+1", 500)}`, "answer"],
  ["400 calls", nest("scalar(vector(", "1", "))", 200), "answer"],
];

export const COSTLY: readonly CostlyQuery[] = [
  ...STEPS,
  ...MATCHING,
  ...CHAINS,
  ...LABEL_BOMBS,
  ...PARAMETERS,
  ...REGEXES,
];
