import type { ParameterType, ValueMethod } from "./go-value.ts";
import { display, GoMap, GoStruct, type GoValue, isTrue, typeName, ValueTooLongError } from "./go-value.ts";
import { goTypeOf, matchesType, parameterAt, type Takes } from "./parameter-type.ts";
import { elementsOf } from "./range-elements.ts";
import type { Command, NamedTemplate, Operand, Pipe, TemplateNode } from "./template-ast.ts";
import { TemplateBudget, TemplateExecutionError, type TemplateLimits } from "./template-budget.ts";
import { constantAs, plainConstant, unfitConstant } from "./template-constant.ts";
import {
  type TemplateFunction,
  type TemplateFunctions,
  TemplateInterruption,
  type TemplateWork,
} from "./template-function.ts";
import { methodOf } from "./value-methods.ts";

/** Templates that call templates. */
const MAX_CALLS = 100;
const NO_VALUE = "<no value>";

/** Where a node is in the text of the template. */
type Place = { readonly start: number; readonly end: number; readonly at?: number };
/** Arguments of the last name of a path: `.t.Format "2006"`. */
type PathArguments = { readonly args: readonly Operand[]; readonly dot: GoValue; readonly final: GoValue | undefined };
type Variable = { readonly name: string; value: GoValue };
/** How a list of nodes ended. */
type Flow = "next" | "break" | "continue";

export type TemplateRunOptions<Context> = {
  /** Those that can be called by name. */
  readonly named: ReadonlyMap<string, NamedTemplate>;
  readonly functions: TemplateFunctions<Context>;
  readonly limits: TemplateLimits;
  readonly context: Context;
  /** Makes what an action writes out of its value. By default what is shown of it, with `<no value>` for nil. */
  readonly show?: ((value: GoValue) => string) | undefined;
  /** Is told what the template itself says, in its place among what {@link show} makes. */
  readonly onText?: ((text: string) => void) | undefined;
};

/** What an action writes, in plain texts. */
export function showPlain(value: GoValue): string {
  return value === null ? NO_VALUE : display(value);
}

/** One run of a template. */
export class TemplateRun<Context> implements TemplateWork {
  readonly #options: TemplateRunOptions<Context>;
  readonly #budget: TemplateBudget;
  readonly #show: (value: GoValue) => string;
  /** The one that runs now. */
  #template: NamedTemplate;
  #variables: Variable[] = [];
  /** The operand evaluated last: messages about what a chain of names makes of it name it. */
  #last: Place = { start: 0, end: 0 };
  #output = "";
  #calls = 0;

  constructor(template: NamedTemplate, options: TemplateRunOptions<Context>) {
    this.#template = template;
    this.#options = options;
    this.#budget = new TemplateBudget(options.limits);
    this.#show = options.show ?? showPlain;
  }

  /** Throws {@link TemplateExecutionError}, or the {@link TemplateInterruption} of a function. Once only. */
  run(data: GoValue): string {
    this.#variables = [{ name: "$", value: data }];
    this.#list(this.#template.nodes, data);
    return this.#output;
  }

  executeNamed(name: string, data: GoValue): string {
    const template = this.#options.named.get(name);
    if (!template) throw new Error(`template: no template ${JSON.stringify(name)} associated with template ""`);
    const outer = this.#output;
    this.#output = "";
    this.#enter(template, data, (problem) => new Error(problem));
    const text = this.#output;
    this.#output = outer;
    return text;
  }

  reserve(characters: number): void {
    this.#budget.reserve(characters);
  }

  get charactersLeft(): number {
    return this.#budget.charactersLeft;
  }

  #write(text: string): void {
    this.#budget.assertOutput(this.#output.length + text.length);
    this.#output += text;
  }

  #shown(value: GoValue): string {
    try {
      return this.#show(value);
    } catch (cause) {
      throw cause instanceof ValueTooLongError ? this.#budget.tooMuch() : cause;
    }
  }

  #list(nodes: readonly TemplateNode[], dot: GoValue): Flow {
    for (const node of nodes) {
      this.#budget.step();
      const flow = this.#node(node, dot);
      if (flow !== "next") return flow;
    }
    return "next";
  }

  #node(node: TemplateNode, dot: GoValue): Flow {
    switch (node.kind) {
      case "text":
        this.#write(node.text);
        this.#options.onText?.(node.text);
        return "next";
      case "action": {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.variables.length === 0) this.#write(this.#shown(value));
        return "next";
      }
      case "break":
      case "continue":
        return node.kind;
      case "template":
        this.#call(node, dot);
        return "next";
      default:
        return this.#branch(node, dot);
    }
  }

  #branch(node: Extract<TemplateNode, { kind: "if" | "with" | "range" }>, dot: GoValue): Flow {
    const known = this.#variables.length;
    const value = this.#pipe(node.pipe, dot);
    let flow: Flow;
    if (node.kind === "range") flow = this.#range(node, value, dot);
    else if (isTrue(value)) flow = this.#list(node.list, node.kind === "with" ? value : dot);
    else flow = this.#list(node.elseList, dot);
    this.#variables.length = known;
    return flow;
  }

  #range(node: Extract<TemplateNode, { kind: "if" | "with" | "range" }>, value: GoValue, dot: GoValue): Flow {
    const { pipe, list, elseList } = node;
    const elements = elementsOf(value);
    if (!elements) throw this.#error(pipe, `range can't iterate over ${display(value)}`);
    let isEmpty = true;
    for (const [key, element] of elements) {
      isEmpty = false;
      this.#budget.step();
      const known = this.#variables.length;
      this.#bind(pipe, key, element);
      const flow = this.#list(list, element);
      this.#variables.length = known;
      if (flow === "break") break;
    }
    return isEmpty ? this.#list(elseList, dot) : "next";
  }

  /** The variables of `range` hold the element, two of them key and element. They were made when its pipe was evaluated. */
  #bind({ variables }: Pipe, key: GoValue, element: GoValue): void {
    const [first, second] = variables;
    if (second !== undefined) {
      this.#assign(first as string, key);
      this.#assign(second, element);
    } else if (first !== undefined) {
      this.#assign(first, element);
    }
  }

  #call({ name, pipe, start }: Extract<TemplateNode, { kind: "template" }>, dot: GoValue): void {
    const template = this.#options.named.get(name);
    const shown = `{{template ${JSON.stringify(name)}${pipe ? ` ${this.#source(pipe)}` : ""}}}`;
    const fail = (problem: string) => this.#error({ start, end: start }, problem, undefined, shown);
    if (!template) throw fail(`template ${JSON.stringify(name)} not defined`);
    this.#enter(template, pipe ? this.#pipe(pipe, dot) : null, fail);
  }

  #enter(template: NamedTemplate, data: GoValue, fail: (problem: string) => Error): void {
    if (++this.#calls > MAX_CALLS) throw fail(`exceeded maximum template depth (${MAX_CALLS})`);
    const [caller, variables] = [this.#template, this.#variables];
    this.#template = template;
    this.#variables = [{ name: "$", value: data }];
    this.#list(template.nodes, data);
    this.#variables = variables;
    this.#template = caller;
    this.#calls--;
  }

  #pipe(pipe: Pipe, dot: GoValue): GoValue {
    let value: GoValue | undefined;
    for (const command of pipe.commands) value = this.#command(command, dot, value);
    const result = value as GoValue;
    for (const name of pipe.variables) {
      if (pipe.isAssignment) this.#assign(name, result);
      else this.#variables.push({ name, value: result });
    }
    return result;
  }

  #assign(name: string, value: GoValue): void {
    const variable = this.#variables.findLast((known) => known.name === name);
    if (!variable) throw this.#error(this.#last, `undefined variable: ${name}`);
    variable.value = value;
  }

  /** `final` is what the command before in the pipe gave: the last argument. */
  #command(command: Command, dot: GoValue, final: GoValue | undefined): GoValue {
    this.#budget.step();
    const [first, ...rest] = command.args;
    if (first.kind === "function") return this.#function(command, first, rest, dot, final);
    if (rest.length > 0 || final !== undefined) {
      if ("path" in first && first.path.length > 0) return this.#operand(first, dot, { args: rest, dot, final });
      throw this.#error(first, `can't give argument to non-function ${this.#source(first)}`);
    }
    if (first.kind === "nil") throw this.#error(first, "nil is not a command");
    return this.#operand(first, dot);
  }

  #function(
    command: Place,
    node: Extract<Operand, { kind: "function" }>,
    args: readonly Operand[],
    dot: GoValue,
    final: GoValue | undefined,
  ) {
    const { name } = node;
    this.#last = node;
    if (name === "and" || name === "or") return this.#shortCircuit(node, args, dot, final);
    const func = this.#options.functions[name] as TemplateFunction<Context>;
    const values = this.#arguments(node, name, func, { args, dot, final });
    if (name === "call") {
      // There are no functions among the values.
      const shown = args[0] ? this.#source(args[0]) : display(values[0] as GoValue);
      const type = typeName(values[0] as GoValue);
      throw this.#error(command, `error calling call: non-function ${shown} of type ${type}`);
    }
    return this.#invoke(command, name, func, values);
  }

  /** Values for the parameters of a function or method, of which there must be enough and not too many. */
  #arguments(at: Place, name: string, func: Takes, { args, dot, final }: PathArguments): GoValue[] {
    const given = args.length + (final === undefined ? 0 : 1);
    const least = func.parameters.length - (func.isVariadic ? 1 : 0);
    if (func.isVariadic ? given < least : given !== least) {
      const wanted = func.isVariadic ? `at least ${least}` : String(least);
      throw this.#error(at, `wrong number of args for ${name}: want ${wanted} got ${given}`);
    }
    const values = args.map((arg, i) => this.#argument(arg, parameterAt(func, i), dot));
    // What comes through the pipe has no place of its own: that of the argument before it stands for it.
    if (final !== undefined) values.push(this.#checked(this.#last, final, parameterAt(func, args.length)));
    return values;
  }

  #invoke(command: Place, name: string, func: TemplateFunction<Context>, values: readonly GoValue[]): GoValue {
    try {
      const result = func.call(values, this, this.#options.context);
      if (typeof result === "string") this.reserve(result.length);
      return result;
    } catch (cause) {
      if (cause instanceof ValueTooLongError) throw this.#budget.tooMuch();
      if (cause instanceof TemplateExecutionError || cause instanceof TemplateInterruption) throw cause;
      throw this.#error(command, `error calling ${name}: ${(cause as Error).message}`, cause);
    }
  }

  #shortCircuit(
    node: Extract<Operand, { kind: "function" }>,
    args: readonly Operand[],
    dot: GoValue,
    final: GoValue | undefined,
  ) {
    if (args.length === 0 && final === undefined) {
      throw this.#error(node, `wrong number of args for ${node.name}: want at least 1 got 0`);
    }
    const stopsAt = node.name === "or";
    let value: GoValue = null;
    for (const arg of args) {
      value = this.#argument(arg, "any", dot);
      if (isTrue(value) === stopsAt) return value;
    }
    return final ?? value;
  }

  #argument(arg: Operand, type: ParameterType, dot: GoValue): GoValue {
    this.#budget.step();
    this.#last = arg;
    if (arg.kind === "number") {
      const value = constantAs(arg, type, this.#source(arg));
      if (value === undefined) throw this.#unfit(arg, type);
      return value;
    }
    if (arg.kind === "nil") {
      if (type === "any") return null;
      throw this.#error(arg, `cannot assign nil to ${type}`);
    }
    const value = arg.kind === "function" ? this.#function(arg, arg, [], dot, undefined) : this.#operand(arg, dot);
    if ((arg.kind === "string" || arg.kind === "bool") && type !== arg.kind && type !== "any") {
      throw this.#unfit(arg, type);
    }
    // What is in parentheses is named by what was looked at last.
    return this.#checked(arg.kind === "pipe" ? this.#last : arg, value, type);
  }

  #unfit(arg: Operand, type: ParameterType): TemplateExecutionError {
    return this.#error(arg, unfitConstant(this.#source(arg), type));
  }

  #checked(at: Place, value: GoValue, type: ParameterType): GoValue {
    if (type === "any" || matchesType(value, type)) return value;
    const wanted = goTypeOf(type);
    if (value === null) throw this.#error(at, `invalid value; expected ${wanted}`);
    throw this.#error(at, `wrong type for value; expected ${wanted}; got ${typeName(value)}`);
  }

  #operand(operand: Operand, dot: GoValue, given?: PathArguments): GoValue {
    if (operand.kind !== "pipe") this.#last = operand;
    switch (operand.kind) {
      case "dot":
        return dot;
      case "bool":
      case "string":
        return operand.value;
      case "number":
        return plainConstant(operand, this.#source(operand));
      case "field":
        return this.#fields(operand, dot, operand.path, given);
      case "variable":
        return this.#fields(
          operand,
          this.#variables.findLast(({ name }) => name === operand.name)?.value ?? null,
          operand.path,
          given,
        );
      case "pipe": {
        const value = this.#pipe(operand.pipe, dot);
        return this.#fields(operand.path.length > 0 ? this.#last : operand, value, operand.path, given);
      }
      default:
        return null;
    }
  }

  #fields(at: Place, receiver: GoValue, path: readonly string[], given?: PathArguments): GoValue {
    let value = receiver;
    for (const [i, name] of path.entries()) {
      // What is not there has fields that are not there.
      if (value === null) return null;
      const ofThis = i === path.length - 1 ? given : undefined;
      const method = methodOf(value, name);
      if (method) {
        value = this.#method(at, value, name, method, ofThis);
        continue;
      }
      const field = fieldOf(value, name);
      if (field === undefined) throw this.#error(at, `can't evaluate field ${name} in type ${typeName(value)}`);
      if (ofThis) throw this.#error(at, `${name} is not a method but has arguments`);
      value = field;
    }
    return value;
  }

  #method(at: Place, receiver: GoValue, name: string, method: ValueMethod, given?: PathArguments): GoValue {
    const values = this.#arguments(at, name, method, given ?? { args: [], dot: null, final: undefined });
    try {
      return method.call(receiver, values);
    } catch (cause) {
      if (cause instanceof TemplateExecutionError || cause instanceof TemplateInterruption) throw cause;
      throw this.#error(at, `error calling ${name}: ${(cause as Error).message}`, cause);
    }
  }

  #source({ start, end }: Place): string {
    return this.#template.source.text.slice(start, end);
  }

  /** With the place in Go's words: `template: line:1:3: executing "line" at <.x>: …`. */
  #error(at: Place, problem: string, cause?: unknown, shown = this.#source(at).trim()): TemplateExecutionError {
    const before = this.#template.source.text.slice(0, at.at ?? at.start);
    const line = before.split("\n").length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1));
    const { name, source } = this.#template;
    const where = `template: ${source.name}:${line}:${column}: executing ${JSON.stringify(name)} at <${shown}>`;
    return new TemplateExecutionError(`${where}: ${problem}`, { cause });
  }
}

/** Undefined: values of its type have no such field. */
function fieldOf(value: GoValue, name: string): GoValue | undefined {
  if (value instanceof GoMap) return value.get(name);
  return value instanceof GoStruct ? value.fields.get(name) : undefined;
}
