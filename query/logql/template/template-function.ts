import type { GoTime } from "./go-time.ts";
import type { GoValue } from "./go-value.ts";

/** Types of parameters; `any` takes every value. */
export type ParameterType = "string" | "int" | "float64" | "any" | "time" | "bool" | "duration";

/** What a function may know beside its arguments. */
export type TemplateContext = {
  readonly line: string;
  readonly time: GoTime;
  /** Before so many characters are made; throws when all that the run has made would be too many. */
  reserve(characters: number): void;
  /** How many characters may still be made. */
  readonly charactersLeft: number;
};

/** A function of templates. `call` may throw an Error whose message is what Go's function would say. */
export type TemplateFunction = {
  readonly parameters: readonly ParameterType[];
  /** The last parameter may come any number of times. */
  readonly isVariadic?: boolean;
  readonly call: (args: readonly GoValue[], context: TemplateContext) => GoValue;
};

export type TemplateFunctions = Readonly<Record<string, TemplateFunction>>;

/** Of strings only, which is most of them. */
export function ofStrings(count: number, call: (...texts: string[]) => GoValue): TemplateFunction {
  const parameters = new Array<ParameterType>(count).fill("string");
  return { parameters, call: (args) => call(...(args as readonly string[])) };
}
