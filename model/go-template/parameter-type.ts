import { GoTimeValue, type GoValue, isList, NamedInt, type ParameterType } from "./go-value.ts";
import type { TemplateFunction } from "./template-function.ts";

/** What a function or a method of a value takes. */
export type Takes = Pick<TemplateFunction, "parameters" | "isVariadic">;

/** That of argument `i`: the last one is that of all that follow it. */
export function parameterAt({ parameters }: Takes, i: number): ParameterType {
  return (parameters[i] ?? parameters.at(-1)) as ParameterType;
}

/** As Go writes it. */
export function goTypeOf(type: ParameterType): string {
  if (type === "time") return "time.Time";
  if (type === "strings") return "[]string";
  return type === "duration" ? "time.Duration" : type;
}

/** What Go's messages about constants call it. */
export function kindName(type: ParameterType): string {
  if (type === "int" || type === "duration") return "integer";
  return type === "float64" ? "float" : type;
}

/** True when a value can be given as it is. */
export function matchesType(value: GoValue, type: ParameterType): boolean {
  switch (type) {
    case "string":
      return typeof value === "string";
    case "int":
      return typeof value === "bigint";
    case "float64":
      return typeof value === "number";
    case "bool":
      return typeof value === "boolean";
    case "strings":
      return isList(value) && value.every((one) => typeof one === "string");
    case "duration":
      return typeof value === "bigint" || (value instanceof NamedInt && value.typeName === "time.Duration");
    default:
      return value instanceof GoTimeValue;
  }
}
