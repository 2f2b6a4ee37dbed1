import { BUILTIN_FUNCTIONS } from "./builtin-functions.ts";
import { type TemplateInput, type TemplateLimits, TemplateRun } from "./execute-template.ts";
import { NUMBER_FUNCTIONS } from "./number-functions.ts";
import { parseTemplate, TemplateSyntaxError } from "./parse-template.ts";
import type { Command, Operand, ParsedTemplate, Pipe, TemplateNode } from "./template-ast.ts";
import type { TemplateFunctions } from "./template-function.ts";
import { TEXT_FUNCTIONS } from "./text-functions.ts";
import { TIME_FUNCTIONS } from "./time-functions.ts";

const FUNCTIONS: TemplateFunctions = {
  ...BUILTIN_FUNCTIONS,
  ...TEXT_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...TIME_FUNCTIONS,
};

/** A template of `line_format` or `label_format`: Go's text/template with Loki's functions. */
export class GoTemplate {
  readonly #name: string;
  readonly #parsed: ParsedTemplate;
  readonly #limits: TemplateLimits;
  /** The label that is all there is to the template (`{{.message}}`). */
  readonly onlyField: string | undefined;

  /** `name` is what messages call it. Throws `TemplateSyntaxError` with Go's message. */
  constructor(name: "line" | "label", text: string, limits: TemplateLimits) {
    this.#name = name;
    this.#limits = limits;
    try {
      this.#parsed = parseTemplate(text, (func) => Object.hasOwn(FUNCTIONS, func));
    } catch (cause) {
      if (!(cause instanceof TemplateSyntaxError)) throw cause;
      throw new TemplateSyntaxError(`template: ${name}:1: ${cause.message}`, { cause });
    }
    this.onlyField = onlyFieldOf(this.#parsed);
  }

  /** Throws `TemplateExecutionError`. */
  execute(input: TemplateInput): string {
    return new TemplateRun(this.#name, this.#parsed, FUNCTIONS, this.#limits, input).run();
  }

  /** Names of the fields in it: the labels it reads, as far as the text shows. */
  fields(): readonly string[] {
    const names = new Set<string>();
    for (const nodes of [this.#parsed.root, ...this.#parsed.named.values()]) visitNodes(nodes, names);
    names.delete(ANYTHING);
    return [...names];
  }

  /** It may read labels that {@link fields} does not name (`{{ range . }}`, `{{ index . "a" }}`). */
  get readsAnything(): boolean {
    const names = new Set<string>();
    for (const nodes of [this.#parsed.root, ...this.#parsed.named.values()]) visitNodes(nodes, names);
    return names.has(ANYTHING);
  }
}

/** No label has this name. */
const ANYTHING = "";

function onlyFieldOf({ root }: ParsedTemplate): string | undefined {
  const [node] = root;
  if (root.length !== 1 || node?.kind !== "action" || node.pipe.commands.length !== 1) return undefined;
  const [command] = node.pipe.commands as [Command];
  const [operand] = command.args;
  return command.args.length === 1 && operand.kind === "field" && operand.path.length === 1
    ? operand.path[0]
    : undefined;
}

function visitNodes(nodes: readonly TemplateNode[], names: Set<string>): void {
  for (const node of nodes) {
    if ("pipe" in node && node.pipe) visitPipe(node.pipe, names);
    if ("list" in node) {
      visitNodes(node.list, names);
      visitNodes(node.elseList, names);
    }
  }
}

function visitPipe({ commands }: Pipe, names: Set<string>): void {
  for (const { args } of commands) for (const arg of args) visitOperand(arg, names);
}

function visitOperand(operand: Operand, names: Set<string>): void {
  if (operand.kind === "field") for (const name of operand.path) names.add(name);
  if (operand.kind === "pipe") visitPipe(operand.pipe, names);
  const isData = operand.kind === "dot" || (operand.kind === "variable" && operand.name === "$");
  if (isData && !("path" in operand && operand.path.length > 0)) names.add(ANYTHING);
  else if (operand.kind === "variable" && operand.name === "$") for (const name of operand.path) names.add(name);
}
