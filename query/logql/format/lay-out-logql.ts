import { formatPrometheusDuration } from "@sightline/model/go-duration.ts";
import { quote } from "@sightline/model/go-quote.ts";
import { formatFloat } from "../../promql/format/format-float.ts";
import type {
  BinaryExpr,
  Grouping,
  LogExpr,
  LogqlExpr,
  LogRange,
  PipelineStage,
  RangeAggregationExpr,
  VectorAggregationExpr,
} from "../ast.ts";
import { PRECEDENCE } from "../parse/parser.ts";
import { formatLog, formatLogql } from "./format-logql.ts";
import { formatLabelFilter, formatStage } from "./format-stage.ts";

/** What is longer, in bytes, is laid out on several lines. */
const MAX_LINE = 100;

/**
 * A query as Loki lays it out (its pkg/logql/syntax/prettier.go). What Loki loses on the way is kept: parentheses, further
 * texts of a line filter, and matching on no label.
 */
export function layOutLogql(expr: LogqlExpr, level = 0): string {
  const indent = "  ".repeat(level);
  const line = formatLogql(expr);
  if (!isLong(line)) return indent + line;
  switch (expr.kind) {
    case "log":
      return layOutLog(expr, level);
    case "range-aggregation":
      return layOutRangeAggregation(expr, level);
    case "vector-aggregation":
      return layOutVectorAggregation(expr, level);
    case "label-replace": {
      const { target, replacement, source, regex } = expr;
      const texts = [target, replacement, source, regex].map((text) => `${indent}  ${quote(text)}`);
      return `${indent}label_replace(\n${[layOutLogql(expr.expr, level + 1), ...texts].join(",\n")}\n${indent})`;
    }
    case "binary":
      return layOutBinary(expr, level);
    default:
      return indent + line;
  }
}

function isLong(text: string): boolean {
  return Buffer.byteLength(text) > MAX_LINE;
}

function layOutLog(expr: LogExpr, level: number): string {
  const indent = "  ".repeat(level);
  if (!isLong(formatLog(expr))) return indent + formatLog(expr);
  const selector = formatLog({ ...expr, stages: [] });
  return [indent + selector, ...layOutStages(expr.stages, level + 1)].join("\n");
}

/** A line each; line filters in a row share one while they fit. */
function layOutStages(stages: readonly PipelineStage[], level: number): string[] {
  const indent = "  ".repeat(level);
  const lines: string[] = [];
  let filters: string | undefined;
  for (const stage of stages) {
    const text = formatStage(stage);
    if (stage.kind !== "line-filter") {
      filters = undefined;
      // Loki leaves the indentation of this one away.
      lines.push(stage.kind === "decolorize" ? text : indent + text);
      continue;
    }
    const together: string = filters === undefined ? text : `${filters} ${text}`;
    if (filters !== undefined && !isLong(together)) lines.pop();
    filters = together;
    lines.push(indent + (isLong(together) ? text : together));
  }
  return lines;
}

function layOutLogRange(range: LogRange, level: number): string {
  const { log, unwrap, intervalNs, offsetNs } = range;
  const lines = [layOutLog(log, level)];
  if (unwrap) {
    const { name, conversion, filters } = unwrap;
    const indent = "  ".repeat(level + 1);
    lines.push(`${indent}| unwrap ${conversion ? `${conversion}(${name})` : name}`);
    lines.push(...filters.map((filter) => `${indent}| ${formatLabelFilter(filter)}`));
  }
  const offset = offsetNs === 0 ? "" : ` offset ${formatPrometheusDuration(offsetNs)}`;
  return `${lines.join("\n")} [${formatPrometheusDuration(intervalNs)}]${offset}`;
}

function layOutRangeAggregation(expr: RangeAggregationExpr, level: number): string {
  const { op, parameter, logRange, grouping } = expr;
  const indent = "  ".repeat(level);
  const first = parameter === undefined ? "" : `${indent}  ${formatFloat(parameter)},\n`;
  return `${indent}${op}(\n${first}${layOutLogRange(logRange, level + 1)}\n${indent})${grouping ? layOutGrouping(grouping) : ""}`;
}

function layOutGrouping({ without, labels }: Grouping): string {
  if (!without && labels.length === 0) return "";
  return ` ${without ? "without" : "by"} (${labels.join(", ")})`;
}

function layOutVectorAggregation({ op, parameter, grouping, expr }: VectorAggregationExpr, level: number): string {
  const indent = "  ".repeat(level);
  const first = parameter === 0 ? "" : `${indent}  ${parameter},\n`;
  return `${indent}${op}${layOutGrouping(grouping)}(\n${first}${layOutLogql(expr, level + 1)}\n${indent})`;
}

function layOutBinary(expr: BinaryExpr, level: number): string {
  const { left, right } = expr;
  const isPower = expr.op === "^";
  const own = PRECEDENCE.get(expr.op) as number;
  const needsParens = (operand: LogqlExpr, isRight: boolean) => {
    if (operand.kind !== "binary") return false;
    const inner = PRECEDENCE.get(operand.op) as number;
    return inner < own || (inner === own && isRight !== isPower);
  };
  const operand = (side: LogqlExpr, isRight: boolean) => {
    if (!needsParens(side, isRight)) return layOutLogql(side, level + 1);
    const indent = "  ".repeat(level + 1);
    return isLong(formatLogql(side))
      ? `${indent}(\n${layOutLogql(side, level + 2)}\n${indent})`
      : indent + formatLogql(side);
  };
  return `${operand(left, false)}\n${"  ".repeat(level)}${operatorOf(expr)}\n${operand(right, true)}`;
}

function operatorOf({ op, bool, matching }: BinaryExpr): string {
  const { on, labels, cardinality, include } = matching;
  let text = bool ? `${op} bool` : op;
  if (!on && labels.length === 0 && cardinality === "one-to-one") return text;
  text += ` ${on ? "on" : "ignoring"} (${labels.join(", ")}) `;
  if (cardinality !== "one-to-one") text += cardinality === "many-to-one" ? "group_left" : "group_right";
  return include.length > 0 ? `${text} (${include.join(", ")})` : text;
}
