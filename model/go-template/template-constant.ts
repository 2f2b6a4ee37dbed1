import type { GoValue, ParameterType } from "./go-value.ts";
import { goTypeOf, kindName } from "./parameter-type.ts";
import type { Operand } from "./template-ast.ts";

type NumberOperand = Extract<Operand, { kind: "number" }>;

/** A number as an argument of this type; undefined when there is no such value. `source` is how it is written. */
export function constantAs(arg: NumberOperand, type: ParameterType, source: string): GoValue | undefined {
  switch (type) {
    case "float64":
      return arg.float;
    case "int":
    case "duration":
      return arg.int;
    case "any":
      return plainConstant(arg, source);
    default:
      return undefined;
  }
}

/** A number by itself: an `int` unless it is written with a point or an exponent. */
export function plainConstant(arg: NumberOperand, source: string): GoValue {
  const isFloat = /[.eE]/.test(source) && !/^[+-]?0[xX]/.test(source);
  return isFloat || arg.int === undefined ? arg.float : arg.int;
}

/** What Go's text/template says of a constant of another kind than is wanted. */
export function unfitConstant(source: string, type: ParameterType): string {
  // What is no kind of constant at all.
  if (type === "time" || type === "strings") return `can't handle ${source} for arg of type ${goTypeOf(type)}`;
  return `expected ${kindName(type)}; found ${source}`;
}
