import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { readYaml, type YamlFields, type YamlValue } from "@sightline/alerting/rules/yaml-reader.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { formatPrometheusDuration } from "@sightline/model/go-duration.ts";

/** promtool's unit tests of rules: what is in a file. Durations in milliseconds, from the start of the test. */
export type RuleTestFile = {
  readonly ruleFiles: readonly string[];
  readonly evaluationMs: number;
  readonly groupOrder: readonly string[];
  /** The nearest float above or below is as good. */
  readonly isFuzzy: boolean;
  readonly tests: readonly RuleTest[];
};
export type RuleTest = {
  readonly name: string;
  /** Between the values of a series. */
  readonly intervalMs: number;
  readonly startMs: number;
  /** As in a `load` of promqltest. */
  readonly series: readonly string[];
  readonly alerts: readonly AlertTest[];
  readonly expressions: readonly ExpressionTest[];
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly externalUrl: string;
};
export type AlertTest = {
  readonly atMs: number;
  readonly time: string;
  readonly alertname: string;
  readonly alerts: readonly ExpectedAlert[];
};
export type ExpectedAlert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};
export type ExpressionTest = {
  readonly atMs: number;
  readonly time: string;
  readonly text: string;
  readonly samples: readonly ExpectedSample[];
};
export type ExpectedSample = { readonly labels: string; readonly value: number; readonly histogram: string };

const FILE_KEYS = ["rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"];
const TEST_KEYS =
  "interval input_series alert_rule_test promql_expr_test external_labels external_url name start_timestamp".split(" ");

/** Throws {@link InvalidInputError} saying what is wrong with the file. */
export function readRuleTestFile(path: string): RuleTestFile {
  const reader = readYaml(readFileSync(path, "utf8"));
  const root = reader.root(FILE_KEYS);
  const order = root.list("group_eval_order").map((value) => value.text());
  const evaluationMs = root.duration("evaluation_interval") || 60_000;
  const file: RuleTestFile = {
    ruleFiles: root.list("rule_files").map((value) => besides(path, value.text())),
    evaluationMs,
    groupOrder: order,
    isFuzzy: root.boolean("fuzzy_compare"),
    tests: root.list("tests").map((value) => testOf(value.map(TEST_KEYS), evaluationMs)),
  };
  if (reader.problems.length > 0)
    throw new InvalidInputError(`yaml: unmarshal errors:\n  ${reader.problems.join("\n  ")}`);
  const repeated = order.find((name, i) => order.indexOf(name) !== i);
  if (repeated !== undefined) throw new InvalidInputError(`group name repeated in evaluation order: ${repeated}`);
  return file;
}

function besides(path: string, file: string): string {
  return file === "" || isAbsolute(file) ? file : join(dirname(path), file);
}

function testOf(test: YamlFields, evaluationMs: number): RuleTest {
  return {
    name: test.text("name"),
    intervalMs: test.duration("interval") || evaluationMs,
    startMs: test.isGiven("start_timestamp") ? startOf(test.text("start_timestamp")) : 0,
    series: test.list("input_series").map((value) => {
      const series = value.map(["series", "values"]);
      return `${series.text("series")} ${series.text("values")}`;
    }),
    alerts: test.list("alert_rule_test").map(alertTestOf),
    expressions: test.list("promql_expr_test").map(expressionTestOf),
    externalLabels: test.texts("external_labels"),
    externalUrl: test.text("external_url"),
  };
}

const FLOAT = /^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Seconds since the epoch, or RFC 3339. */
function startOf(text: string): number {
  const seconds = FLOAT.test(text) ? Number(text.replaceAll("_", "")) : undefined;
  const dateMs = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  // Six digits of a fraction are as exact as a float is there.
  const timeMs = seconds === undefined ? dateMs : Math.floor(Math.round(seconds * 1e6) / 1_000);
  if (!Number.isFinite(timeMs))
    throw new InvalidInputError(`cannot parse ${JSON.stringify(text)} to a valid timestamp`);
  return timeMs;
}

function alertTestOf(value: YamlValue): AlertTest {
  const test = value.map(["eval_time", "alertname", "exp_alerts"]);
  const alerts = test.list("exp_alerts").map((expected) => {
    const alert = expected.map(["exp_labels", "exp_annotations"]);
    return { labels: alert.texts("exp_labels"), annotations: alert.texts("exp_annotations") };
  });
  return { ...timeOf(test), alertname: test.text("alertname"), alerts };
}

function expressionTestOf(value: YamlValue): ExpressionTest {
  const test = value.map(["expr", "eval_time", "exp_samples"]);
  const samples = test.list("exp_samples").map((expected) => {
    const sample = expected.map(["labels", "value", "histogram"]);
    return {
      labels: sample.text("labels"),
      value: numberOf(sample, expected),
      histogram: sample.text("histogram"),
    };
  });
  return { ...timeOf(test), text: test.text("expr"), samples };
}

/** `time` is as messages have it. */
function timeOf(test: YamlFields): { readonly atMs: number; readonly time: string } {
  const atMs = test.duration("eval_time");
  return { atMs, time: formatPrometheusDuration(atMs * 1e6) };
}

/** As YAML has floats: `.inf`, `.NaN`. */
function numberOf(sample: YamlFields, place: YamlValue): number {
  const text = sample.text("value");
  if (sample.isQuoted("value")) {
    place.complain(`cannot unmarshal !!str \`${text}\` into float64`);
    return Number.NaN;
  }
  if (/^\.(nan|NaN|NAN)$/.test(text)) return Number.NaN;
  const infinite = /^([+-]?)\.(inf|Inf|INF)$/.exec(text);
  if (infinite) return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text.replaceAll("_", ""));
  if (Number.isFinite(value)) return value;
  place.complain(`cannot unmarshal !!str \`${text}\` into float64`);
  return Number.NaN;
}
