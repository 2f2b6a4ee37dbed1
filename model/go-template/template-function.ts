import type { GoValue, ParameterType } from "./go-value.ts";

/** What a run of a template lends to functions. */
export type TemplateWork = {
  /** Before so many characters are made; throws when all that the run has made would be too many. */
  reserve(characters: number): void;
  /** How many characters may still be made. */
  readonly charactersLeft: number;
  /** What the template of the name makes of the data, in place of writing it. Throws as `template` does. */
  executeNamed(name: string, data: GoValue): string;
};

/**
 * A function of templates. `call` may throw an Error whose message is what Go's function would say. `Context` is what the
 * caller of the run tells functions beside their arguments.
 */
export type TemplateFunction<Context = unknown> = {
  readonly parameters: readonly ParameterType[];
  /** The last parameter may come any number of times. */
  readonly isVariadic?: boolean;
  readonly call: (args: readonly GoValue[], work: TemplateWork, context: Context) => GoValue;
};

export type TemplateFunctions<Context = unknown> = Readonly<Record<string, TemplateFunction<Context>>>;

/** Thrown by a function to end the run as it is: it reaches the caller unchanged, and is no error of the template. */
export class TemplateInterruption extends Error {
  override readonly name: string = "TemplateInterruption";
}

/** Of strings only, which is most of them. */
export function ofStrings(count: number, call: (...texts: string[]) => GoValue): TemplateFunction {
  const parameters = new Array<ParameterType>(count).fill("string");
  return { parameters, call: (args) => call(...(args as readonly string[])) };
}
