import type { ValueType } from "../ast.ts";

/** What a function takes and gives, as promql/parser/functions.go of Prometheus has it. */
export type Signature = {
  readonly name: string;
  readonly argTypes: readonly ValueType[];
  readonly returns: ValueType;
  /** 0: exactly `argTypes`; n > 0: the last type may be missing or come up to n times; -1: any number of times. */
  readonly variadic: number;
  readonly experimental: boolean;
};

export const SIGNATURES: ReadonlyMap<string, Signature> = new Map(
  [
    ...["abs", "absent", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg", "exp"].map(
      ofVector,
    ),
    ...["floor", "ln", "log10", "log2", "rad", "sgn", "sin", "sinh", "sort", "sort_desc", "sqrt", "tan"].map(ofVector),
    ...["tanh", "timestamp", "histogram_avg", "histogram_count", "histogram_sum"].map(ofVector),
    ...["histogram_stddev", "histogram_stdvar"].map(ofVector),
    ...["days_in_month", "day_of_month", "day_of_week", "day_of_year"].map(ofTime),
    ...["hour", "minute", "month", "year"].map(ofTime),
    ...["absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv", "idelta"].map(ofMatrix),
    ...["increase", "irate", "last_over_time", "max_over_time", "min_over_time", "present_over_time"].map(ofMatrix),
    ...["rate", "resets", "stddev_over_time", "stdvar_over_time", "sum_over_time", "first_over_time"].map(ofMatrix),
    ...["mad_over_time", "ts_of_first_over_time", "ts_of_last_over_time"].map(ofMatrix).map(experimental),
    ...["ts_of_max_over_time", "ts_of_min_over_time"].map(ofMatrix).map(experimental),
    experimental(ofVector("start_timestamp")),
    ...["start", "end", "step", "range"].map((name) => experimental(signature(name, [], "scalar"))),
    ...["min_of", "max_of"].map((name) => experimental(signature(name, ["scalar", "scalar"], "scalar"))),
    signature("time", [], "scalar"),
    signature("pi", [], "scalar"),
    signature("scalar", ["vector"], "scalar"),
    signature("vector", ["scalar"], "vector"),
    signature("clamp", ["vector", "scalar", "scalar"], "vector"),
    signature("clamp_max", ["vector", "scalar"], "vector"),
    signature("clamp_min", ["vector", "scalar"], "vector"),
    signature("round", ["vector", "scalar"], "vector", 1),
    signature("predict_linear", ["matrix", "scalar"], "vector"),
    signature("quantile_over_time", ["scalar", "matrix"], "vector"),
    experimental(signature("double_exponential_smoothing", ["matrix", "scalar", "scalar"], "vector")),
    signature("histogram_fraction", ["scalar", "scalar", "vector"], "vector"),
    signature("histogram_quantile", ["scalar", "vector"], "vector"),
    experimental(signature("histogram_quantiles", ["vector", "string", "scalar", "scalar"], "vector", 9)),
    experimental(signature("info", ["vector", "vector"], "vector", 1)),
    signature("label_replace", ["vector", "string", "string", "string", "string"], "vector"),
    signature("label_join", ["vector", "string", "string", "string"], "vector", -1),
    experimental(signature("sort_by_label", ["vector", "string"], "vector", -1)),
    experimental(signature("sort_by_label_desc", ["vector", "string"], "vector", -1)),
  ].map((entry) => [entry.name, entry]),
);

function signature(name: string, argTypes: readonly ValueType[], returns: ValueType, variadic = 0): Signature {
  return { name, argTypes, returns, variadic, experimental: false };
}
function ofVector(name: string): Signature {
  return signature(name, ["vector"], "vector");
}
function ofMatrix(name: string): Signature {
  return signature(name, ["matrix"], "vector");
}
/** Functions of a time that default to the time of evaluation. */
function ofTime(name: string): Signature {
  return signature(name, ["vector"], "vector", 1);
}
function experimental(entry: Signature): Signature {
  return { ...entry, experimental: true };
}
