import { formatGoDuration, formatPrometheusDuration } from "@sightline/model/go-duration.ts";
import { quote } from "@sightline/model/go-quote.ts";
import { formatFloat } from "../../promql/format/format-float.ts";
import type {
  BinaryExpr,
  Grouping,
  LogExpr,
  LogqlExpr,
  LogRange,
  RangeAggregationExpr,
  Unwrap,
  VectorAggregationExpr,
} from "../ast.ts";
import { formatLabelFilter, formatMatcher, formatStage } from "./format-stage.ts";

/** A query on one line, as Loki prints it (its String methods). Reading it again gives the same tree. */
export function formatLogql(expr: LogqlExpr): string {
  switch (expr.kind) {
    case "log":
      return formatLog(expr);
    case "number":
      return formatFloat(expr.value);
    case "vector":
      return `vector(${formatVectorValue(expr.value)})`;
    case "range-aggregation":
      return formatRangeAggregation(expr);
    case "vector-aggregation":
      return formatVectorAggregation(expr);
    case "label-replace": {
      const texts = [expr.target, expr.replacement, expr.source, expr.regex].map(quote);
      return `label_replace(${formatLogql(expr.expr)},${texts.join(",")})`;
    }
    default:
      return formatBinary(expr);
  }
}

/** A log query on one line. */
export function formatLog({ matchers, stages }: LogExpr): string {
  const selector = `{${matchers.map(formatMatcher).join(", ")}}`;
  return [selector, ...stages.map(formatStage)].join(" ");
}

/** Six places, as Loki prints it, unless that is another number. */
function formatVectorValue(value: number): string {
  const fixed = value.toFixed(6);
  return Number(fixed) === value ? fixed : formatFloat(value);
}

function formatGrouping({ without, labels }: Grouping): string {
  return ` ${without ? "without" : "by"} (${labels.join(",")})`;
}

function formatRangeAggregation({ op, parameter, logRange, grouping }: RangeAggregationExpr): string {
  const first = parameter === undefined ? "" : `${formatFloat(parameter)},`;
  return `${op}(${first}${formatLogRange(logRange)})${grouping ? formatGrouping(grouping) : ""}`;
}

function formatLogRange({ log, intervalNs, offsetNs, unwrap }: LogRange): string {
  const offset = offsetNs === 0 ? "" : ` offset ${formatGoDuration(offsetNs)}`;
  return `${formatLog(log)}${unwrap ? formatUnwrap(unwrap) : ""}[${formatPrometheusDuration(intervalNs)}]${offset}`;
}

function formatUnwrap({ name, conversion, filters }: Unwrap): string {
  const label = conversion ? `${conversion}(${name})` : name;
  return [` | unwrap ${label}`, ...filters.map((filter) => ` | ${formatLabelFilter(filter)}`)].join("");
}

function formatVectorAggregation({ op, parameter, grouping, expr }: VectorAggregationExpr): string {
  const by = grouping.without || grouping.labels.length > 0 ? formatGrouping(grouping) : "";
  return `${op}${by}(${parameter === 0 ? "" : `${parameter},`}${formatLogql(expr)})`;
}

function formatBinary({ op, bool, matching, left, right }: BinaryExpr): string {
  const parts: string[] = [op];
  if (bool) parts.push("bool");
  const { on, labels, cardinality, include } = matching;
  if (on || labels.length > 0 || cardinality !== "one-to-one") {
    parts.push(on ? "on" : "ignoring", `(${labels.join(",")})`);
  }
  if (cardinality !== "one-to-one") {
    parts.push(cardinality === "many-to-one" ? "group_left" : "group_right", `(${include.join(",")})`);
  }
  return `(${formatLogql(left)} ${parts.join(" ")} ${formatLogql(right)})`;
}
