import { BUILTIN_FUNCTIONS } from "./builtin-functions.ts";
import { TemplateRun, type TemplateRunOptions } from "./execute-template.ts";
import type { GoValue } from "./go-value.ts";
import { isBlank, parseTemplate } from "./parse-template.ts";
import type { NamedTemplate, ParsedTemplate, TemplateSource } from "./template-ast.ts";
import type { TemplateLimits } from "./template-budget.ts";
import type { TemplateFunctions } from "./template-function.ts";

/** What a run is given beside the template. */
export type TemplateInput<Context> = { readonly data: GoValue; readonly context: Context } & Pick<
  TemplateRunOptions<Context>,
  "show" | "onText"
>;

/**
 * Templates that know each other by name (a template.Template of Go with its associates), with Go's own functions and
 * those given, under the option `missingkey=zero`.
 */
export class TemplateSet<Context> {
  readonly #functions: TemplateFunctions<Context>;
  readonly #limits: TemplateLimits;
  readonly #named = new Map<string, NamedTemplate>();

  constructor(functions: TemplateFunctions<Context>, limits: TemplateLimits) {
    this.#functions = { ...BUILTIN_FUNCTIONS, ...functions };
    this.#limits = limits;
  }

  /** What the files added so far define. */
  get names(): readonly string[] {
    return [...this.#named.keys()].sort();
  }

  /** Reads a file: its definitions take the place of those of the same name. Throws `TemplateSyntaxError`. */
  add(source: TemplateSource): void {
    addTo(this.#named, this.#parse(source));
  }

  /** Reads a text without adding it. Throws `TemplateSyntaxError`. */
  parse(source: TemplateSource): ParsedTemplate {
    return this.#parse(source);
  }

  /** Runs a text; what it defines is known to it alone. Throws `TemplateExecutionError`. */
  execute(template: ParsedTemplate, { data, ...options }: TemplateInput<Context>): string {
    let named: ReadonlyMap<string, NamedTemplate> = this.#named;
    if (template.named.size > 0) {
      const own = new Map(this.#named);
      for (const definition of template.named.values()) define(own, definition);
      named = own;
    }
    const fixed = { named, functions: this.#functions, limits: this.#limits };
    return new TemplateRun(template.root, { ...fixed, ...options }).run(data);
  }

  #parse(source: TemplateSource): ParsedTemplate {
    return parseTemplate(source, (name) => Object.hasOwn(this.#functions, name));
  }
}

function addTo(named: Map<string, NamedTemplate>, { root, named: defined }: ParsedTemplate): void {
  for (const definition of [root, ...defined.values()]) define(named, definition);
}

function define(named: Map<string, NamedTemplate>, definition: NamedTemplate): void {
  if (!named.has(definition.name) || !isBlank(definition.nodes)) named.set(definition.name, definition);
}
