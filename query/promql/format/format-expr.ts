import { quote } from "@sightline/model/go-quote.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type {
  AggregateExpr,
  AtModifier,
  BinaryExpr,
  Duration,
  DurationExpr,
  DurationOperand,
  Expr,
  SubqueryExpr,
  VectorSelector,
} from "../ast.ts";
import { formatDuration } from "./duration.ts";
import { formatFloat, formatGeneral } from "./format-float.ts";

/** An expression on one line, as Prometheus' Expr.String() gives it; parsing that gives the same expression. */
export function formatExpr(expr: Expr): string {
  switch (expr.kind) {
    case "number":
      return formatNumber(expr.value, expr.duration);
    case "string":
      return quote(expr.value);
    case "vector":
      return formatSelector(expr) + formatModifiers(expr);
    case "matrix": {
      const { extend, ...rest } = expr.vector;
      const extension = extend ? ` ${extend}` : "";
      return `${formatSelector(rest)}[${formatLength(expr.length)}]${extension}${formatModifiers(rest)}`;
    }
    case "subquery":
      return formatExpr(expr.expr) + formatSubqueryRange(expr);
    case "aggregate": {
      const args = expr.param ? `${formatExpr(expr.param)}, ${formatExpr(expr.expr)}` : formatExpr(expr.expr);
      return `${formatAggregator(expr)}(${args})`;
    }
    case "binary":
      return `${formatExpr(expr.left)} ${formatOperator(expr)} ${formatExpr(expr.right)}`;
    case "unary":
      return expr.op + formatExpr(expr.expr);
    case "paren":
      return `(${formatExpr(expr.expr)})`;
    case "call":
      return `${expr.func}(${expr.args.map(formatExpr).join(", ")})`;
    case "invariant":
      return formatExpr(expr.expr);
  }
}

/** `[5m:1m] @ 0.000 offset 1h` */
export function formatSubqueryRange(expr: SubqueryExpr): string {
  const step = expr.step === undefined ? "" : formatLength(expr.step);
  return `[${formatLength(expr.length)}:${step}]${formatModifiers(expr)}`;
}

/** `sum by (job) ` up to the parenthesis. */
export function formatAggregator({ op, grouping, without }: AggregateExpr): string {
  const labels = formatLabelList(grouping);
  if (without) return `${op} without (${labels}) `;
  return grouping.length > 0 ? `${op} by (${labels}) ` : op;
}

/** The operator with its modifiers: `== bool on (a) group_left (b)`. */
export function formatOperator(expr: BinaryExpr): string {
  return expr.op + formatMatching(expr);
}

function formatNumber(value: number, isDuration: boolean): string {
  if (!isDuration) return formatFloat(value);
  return value < 0 ? `-${formatDuration(-value * 1000)}` : formatDuration(value * 1000);
}

function formatSelector({ name, matchers }: VectorSelector): string {
  const shown = matchers.filter((m) => !(m.name === "__name__" && m.op === "=" && m.value === name && name !== ""));
  const texts = shown.map(formatMatcher).sort();
  return texts.length === 0 ? name || "{}" : `${name}{${texts.join(",")}}`;
}

function formatMatcher({ name, op, value }: Matcher): string {
  return `${formatLabelName(name)}${op}${quote(value)}`;
}

/** Names of the old kind stand as they are, others are quoted. */
export function formatLabelName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quote(name);
}

function formatLabelList(names: readonly string[]): string {
  return names.map(formatLabelName).join(", ");
}

type Modified = Pick<VectorSelector, "offset" | "at" | "extend">;

function formatModifiers({ offset, at, extend }: Modified): string {
  return formatAt(at) + (extend ? ` ${extend}` : "") + formatOffset(offset);
}

function formatAt(at: AtModifier | undefined): string {
  if (at === undefined) return "";
  return typeof at === "number" ? ` @ ${(at / 1000).toFixed(3)}` : ` @ ${at}()`;
}

function formatOffset(offset: Duration): string {
  if (typeof offset !== "number") return ` offset ${formatDurationExpr(offset)}`;
  if (offset === 0) return "";
  return offset > 0 ? ` offset ${formatDuration(offset)}` : ` offset -${formatDuration(-offset)}`;
}

function formatLength(length: Duration): string {
  return typeof length === "number" ? formatDuration(length) : formatDurationExpr(length);
}

function formatDurationExpr(expr: DurationExpr): string {
  const text = durationText(expr);
  return expr.wrapped ? `(${text})` : text;
}

function durationText({ op, left, right }: DurationExpr): string {
  if (op === "step" || op === "range") return `${op}()`;
  const of = (operand: DurationOperand | undefined) =>
    operand === undefined
      ? ""
      : operand.kind === "number"
        ? formatNumber(operand.value, operand.duration)
        : formatDurationExpr(operand);
  if (op === "min_of" || op === "max_of") return `${op}(${of(left)}, ${of(right)})`;
  if (!left) return op === "-" ? `-${of(right)}` : of(right);
  return `${of(left)} ${op} ${of(right)}`;
}

function formatMatching({ bool, matching }: BinaryExpr): string {
  let text = bool ? " bool" : "";
  if (!matching) return text;
  const { card, on, labels, include, fillLeft, fillRight } = matching;
  const grouped = card === "many-to-one" || card === "one-to-many";
  if (labels.length > 0 || on || grouped) text += ` ${on ? "on" : "ignoring"} (${formatLabelList(labels)})`;
  if (grouped) text += ` group_${card === "many-to-one" ? "left" : "right"} (${formatLabelList(include)})`;
  if (fillLeft !== undefined && fillLeft === fillRight) return `${text} fill (${formatGeneral(fillLeft)})`;
  if (fillLeft !== undefined) text += ` fill_left (${formatGeneral(fillLeft)})`;
  if (fillRight !== undefined) text += ` fill_right (${formatGeneral(fillRight)})`;
  return text;
}
