import type { ParseError } from "@sightline/model/errors.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type {
  Grouping,
  LabelReplaceExpr,
  LogqlExpr,
  LogRange,
  Range,
  RangeAggregationExpr,
  RangeOperation,
  SampleExpr,
  VectorAggregationExpr,
  VectorOperation,
} from "../ast.ts";
import { goNumberProblem, parseGoNumber } from "./parse-number.ts";
import { parseErrorOf, regexProblem } from "./problems.ts";

type Problems = Map<LogqlExpr, ParseError>;

const GROUPED: ReadonlySet<RangeOperation> = new Set([
  "avg_over_time",
  "stddev_over_time",
  "stdvar_over_time",
  "quantile_over_time",
  "max_over_time",
  "min_over_time",
  "first_over_time",
  "last_over_time",
]);
const WITH_UNWRAP: ReadonlySet<RangeOperation> = new Set([
  ...GROUPED,
  "sum_over_time",
  "rate",
  "rate_counter",
  "absent_over_time",
]);
const WITHOUT_UNWRAP: ReadonlySet<RangeOperation> = new Set([
  "bytes_over_time",
  "bytes_rate",
  "count_over_time",
  "rate",
  "absent_over_time",
]);

export function rangeAggregation(
  parts: {
    readonly op: RangeOperation;
    readonly parameter: string | undefined;
    readonly logRange: LogRange;
    readonly grouping: Grouping | undefined;
    readonly range: Range;
  },
  problems: Problems,
): SampleExpr {
  const { op, parameter, logRange, grouping, range } = parts;
  const value = parameter === undefined ? undefined : parseGoNumber(parameter);
  const expr: RangeAggregationExpr = { kind: "range-aggregation", op, parameter: value, logRange, grouping, range };
  const problem = parameterProblem(op, parameter, value) ?? shapeProblem(expr);
  if (problem !== undefined) problems.set(expr, parseErrorOf(range, problem));
  return expr;
}

function parameterProblem(op: RangeOperation, text: string | undefined, value: number | undefined): string | undefined {
  if (op !== "quantile_over_time") {
    return text === undefined ? undefined : `parameter ${text} not supported for operation ${op}`;
  }
  if (text === undefined) return `parameter required for operation ${op}`;
  return value === undefined ? `invalid parameter for operation ${op}: ${goNumberProblem(text)}` : undefined;
}

function shapeProblem({ op, grouping, logRange }: RangeAggregationExpr): string | undefined {
  if (grouping && !GROUPED.has(op)) return `grouping not allowed for ${op} aggregation`;
  if (logRange.unwrap) return WITH_UNWRAP.has(op) ? undefined : `invalid aggregation ${op} with unwrap`;
  return WITHOUT_UNWRAP.has(op) ? undefined : `invalid aggregation ${op} without unwrap`;
}

const NO_GROUPING: Grouping = { without: false, labels: [] };

export function vectorAggregation(
  parts: {
    readonly op: VectorOperation;
    readonly parameter: string | undefined;
    readonly expr: SampleExpr;
    readonly grouping: Grouping | undefined;
    readonly range: Range;
  },
  problems: Problems,
): SampleExpr {
  const { op, parameter, expr: inner, grouping, range } = parts;
  const count = countOf(op, parameter, grouping);
  const expr: VectorAggregationExpr = {
    kind: "vector-aggregation",
    op,
    parameter: count.value,
    grouping: grouping ?? NO_GROUPING,
    expr: inner,
    range,
  };
  const isSort = op === "sort" || op === "sort_desc";
  const sortProblem =
    isSort && expr.grouping.labels.length > 0 ? "sort and sort_desc doesn't allow grouping by " : undefined;
  const problem = count.problem ?? sortProblem;
  if (problem !== undefined) problems.set(expr, parseErrorOf(range, problem));
  return expr;
}

type Count = { readonly value: number; readonly problem?: string };

function countOf(op: VectorOperation, text: string | undefined, grouping: Grouping | undefined): Count {
  const isChoosing = op === "topk" || op === "bottomk" || op === "approx_topk";
  const wrong = (problem: string): Count => ({ value: 0, problem });
  if (!isChoosing) {
    return text === undefined ? { value: 0 } : wrong(`unsupported parameter for operation ${op}(${text},`);
  }
  if (text === undefined) return wrong(`parameter required for operation ${op}`);
  if (!/^\d+$/.test(text) || Number(text) >= 2 ** 63) return wrong(`invalid parameter ${op}(${text},`);
  const value = Number(text);
  if (value <= 0) return wrong(`invalid parameter (must be greater than 0) ${op}(${text}`);
  return op === "approx_topk" && grouping ? wrong(`grouping not allowed for ${op} aggregation`) : { value };
}

export function labelReplaceExpr(
  expr: SampleExpr,
  [target, replacement, source, regex]: readonly [string, string, string, string],
  range: Range,
  problems: Problems,
): SampleExpr {
  const replace: LabelReplaceExpr = { kind: "label-replace", expr, target, replacement, source, regex, range };
  try {
    compileRegex(`^(?:${regex})$`);
  } catch (error) {
    problems.set(replace, parseErrorOf(range, `invalid regex in label_replace: ${regexProblem(error)}`, error));
  }
  return replace;
}
