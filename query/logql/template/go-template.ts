import type { GoMap } from "@sightline/model/go-template/go-value.ts";
import type {
  Command,
  NamedTemplate,
  Operand,
  ParsedTemplate,
  Pipe,
  TemplateNode,
} from "@sightline/model/go-template/template-ast.ts";
import type { TemplateFunctions } from "@sightline/model/go-template/template-function.ts";
import { TemplateSet } from "@sightline/model/go-template/template-set.ts";
import type { LineContext } from "./line-context.ts";
import { NUMBER_FUNCTIONS } from "./number-functions.ts";
import { TEXT_FUNCTIONS } from "./text-functions.ts";
import { TIME_FUNCTIONS } from "./time-functions.ts";

const FUNCTIONS: TemplateFunctions<LineContext> = {
  ...TEXT_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...TIME_FUNCTIONS,
};

/** What one run may make. */
export type TemplateLimits = { readonly maxOutputCharacters: number };
const MAX_STEPS = 100_000;
const SETTING = " of a line (query.logs.max_template_chars)";

export type TemplateInput = LineContext & { readonly data: GoMap };

/** A template of `line_format` or `label_format`: Go's text/template with Loki's functions. */
export class GoTemplate {
  readonly #set: TemplateSet<LineContext>;
  readonly #parsed: ParsedTemplate;
  /** The label that is all there is to the template (`{{.message}}`). */
  readonly onlyField: string | undefined;

  /** `name` is what messages call it. Throws `TemplateSyntaxError` with Go's message. */
  constructor(name: "line" | "label", text: string, { maxOutputCharacters }: TemplateLimits) {
    this.#set = new TemplateSet(FUNCTIONS, { maxOutputCharacters, maxSteps: MAX_STEPS, setting: SETTING });
    this.#parsed = this.#set.parse({ name, text });
    this.onlyField = onlyFieldOf(this.#parsed);
  }

  /** Throws `TemplateExecutionError`. */
  execute({ data, line, time }: TemplateInput): string {
    return this.#set.execute(this.#parsed, { data, context: { line, time } });
  }

  /** Names of the fields in it: the labels it reads, as far as the text shows. */
  fields(): readonly string[] {
    const names = new Set<string>();
    for (const { nodes } of templatesOf(this.#parsed)) visitNodes(nodes, names);
    names.delete(ANYTHING);
    return [...names];
  }

  /** It may read labels that {@link fields} does not name (`{{ range . }}`, `{{ index . "a" }}`). */
  get readsAnything(): boolean {
    const names = new Set<string>();
    for (const { nodes } of templatesOf(this.#parsed)) visitNodes(nodes, names);
    return names.has(ANYTHING);
  }
}

/** No label has this name. */
const ANYTHING = "";

function templatesOf({ root, named }: ParsedTemplate): readonly NamedTemplate[] {
  return [root, ...named.values()];
}

function onlyFieldOf({ root: { nodes } }: ParsedTemplate): string | undefined {
  const [node] = nodes;
  if (nodes.length !== 1 || node?.kind !== "action" || node.pipe.commands.length !== 1) return undefined;
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
