import { unquote } from "../go-quote.ts";
import { splitTemplate, type TemplateItem } from "./split-template.ts";
import type {
  BranchNode,
  Command,
  NamedTemplate,
  Operand,
  ParsedTemplate,
  Pipe,
  TemplateNode,
  TemplateSource,
} from "./template-ast.ts";
import { characterOf, numberOf } from "./template-literals.ts";
import { TemplateProblem } from "./template-problem.ts";
import { type Token, TokenQueue } from "./token-queue.ts";

/** The template can't be read. The message is that of Go's text/template: `template: name:1: unexpected EOF`. */
export class TemplateSyntaxError extends Error {
  override readonly name = "TemplateSyntaxError";
}

/** Actions nest so deep at most; they are run by recursion. */
const MAX_DEPTH = 100;

/** Reads a Go template. `isFunction` tells which names there are. Throws {@link TemplateSyntaxError}. */
export function parseTemplate(source: TemplateSource, isFunction: (name: string) => boolean): ParsedTemplate {
  const parser = new TemplateParser(source, isFunction);
  try {
    return parser.parse();
  } catch (cause) {
    if (!(cause instanceof TemplateProblem)) throw cause;
    const line = source.text.slice(0, cause.at ?? parser.position).split("\n").length;
    throw new TemplateSyntaxError(`template: ${source.name}:${line}: ${cause.message}`, { cause });
  }
}

const TOKEN =
  /\s+|"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`|'(?:[^'\\\n]|\\[^\n])*'|:=|[|()=,]|\$[\p{L}\p{Nd}_]*|(?:\.[\p{L}_][\p{L}\p{Nd}_]*)|[+-]?(?:0[xXbBoO][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)|\.|[\p{L}_][\p{L}\p{Nd}_]*/uy;

class TemplateParser {
  readonly #source: TemplateSource;
  readonly #text: string;
  readonly #isFunction: (name: string) => boolean;
  readonly #items: Iterator<TemplateItem>;
  readonly #named = new Map<string, NamedTemplate>();
  #itemStart = 0;
  #tokens = new TokenQueue([]);
  #depth = 0;
  #rangeDepth = 0;
  /** Per block the variables that are known in it. */
  #variables: string[] = ["$"];

  constructor(source: TemplateSource, isFunction: (name: string) => boolean) {
    this.#source = source;
    this.#text = source.text;
    this.#isFunction = isFunction;
    this.#items = splitTemplate(source.text);
  }

  /** How far it has read. */
  get position(): number {
    return this.#tokens.first?.start ?? this.#itemStart;
  }

  parse(): ParsedTemplate {
    const { nodes, end } = this.#list(true);
    if (end !== undefined) throw new TemplateProblem(`unexpected {{${end}}}`);
    return { root: { name: this.#source.name, source: this.#source, nodes }, named: this.#named };
  }

  /** Nodes up to `{{end}}` or `{{else …}}`: then `end` is its word, and its other tokens are left to be read. */
  #list(isTop = false): { readonly nodes: readonly TemplateNode[]; readonly end: string | undefined } {
    if (++this.#depth > MAX_DEPTH) throw new TemplateProblem(`actions may nest ${MAX_DEPTH} deep`);
    const nodes: TemplateNode[] = [];
    for (;;) {
      const { value: item, done } = this.#items.next() as IteratorResult<TemplateItem, undefined>;
      if (done || !item) {
        if (!isTop) throw new TemplateProblem("unexpected EOF", this.#text.length);
        return { nodes, end: undefined };
      }
      if (item.kind === "text") {
        nodes.push({ kind: "text", text: item.text });
        continue;
      }
      this.#itemStart = item.start;
      this.#tokens = new TokenQueue(this.#tokenize(item.start, item.end));
      const word = this.#tokens.first?.text;
      if (word === "end" || word === "else") {
        this.#tokens.shift();
        this.#depth--;
        return { nodes, end: word };
      }
      const node = this.#action(item.end);
      if (node) nodes.push(node);
    }
  }

  #tokenize(start: number, end: number): Token[] {
    const tokens: Token[] = [];
    for (let at = start; at < end; ) {
      TOKEN.lastIndex = at;
      const text = TOKEN.exec(this.#text)?.[0];
      if (text === undefined || at + text.length > end) {
        throw new TemplateProblem(`unexpected ${JSON.stringify(this.#text[at])} in command`);
      }
      const token = { text, start: at, end: at + text.length };
      this.#checkNumberEnds(token);
      at = token.end;
      tokens.push(token);
    }
    if (/^\s/.test(tokens[0]?.text ?? "")) tokens.shift();
    if (/^\s/.test(tokens.at(-1)?.text ?? "")) tokens.pop();
    return tokens;
  }

  /** Nothing of a word may stand right behind a number. */
  #checkNumberEnds({ text, end }: Token): void {
    if (!/^[+-]?\.?\d/.test(text)) return;
    const next = /^[\p{L}\p{Nd}_]/u.exec(this.#text.slice(end, end + 2))?.[0];
    if (next !== undefined) throw new TemplateProblem(`bad number syntax: ${JSON.stringify(text + next)}`);
  }

  #action(end: number): TemplateNode | undefined {
    const word = this.#tokens.first?.text ?? "";
    switch (word) {
      case "if":
      case "with":
      case "range":
        this.#tokens.shift();
        return this.#branch(word, end);
      case "break":
      case "continue":
        if (this.#rangeDepth === 0) throw new TemplateProblem(`{{${word}}} outside {{range}}`);
        return { kind: word };
      case "define":
      case "block":
      case "template":
        this.#tokens.shift();
        return this.#namedTemplate(word, end);
      default: {
        const pipe = this.#pipe("command", end);
        return { kind: "action", pipe };
      }
    }
  }

  #branch(kind: BranchNode["kind"], end: number): BranchNode {
    const known = this.#variables.length;
    const pipe = this.#pipe(kind, end);
    if (kind === "range") this.#rangeDepth++;
    const { nodes: list, end: closing } = this.#list();
    if (kind === "range") this.#rangeDepth--;
    const elseList = closing === "else" ? this.#elseOf(kind, end) : [];
    this.#variables.length = known;
    return { kind, pipe, list, elseList };
  }

  /** After `{{else`: perhaps another condition, that shares our `{{end}}`. */
  #elseOf(kind: BranchNode["kind"], end: number): readonly TemplateNode[] {
    this.#skipSpace();
    const word = this.#tokens.first?.text;
    if (word === undefined) {
      const { nodes, end: closing } = this.#list();
      if (closing !== "end") throw new TemplateProblem("expected end; found {{else}}");
      return nodes;
    }
    if (word !== kind || kind === "range") throw new TemplateProblem(`unexpected ${JSON.stringify(word)} in else`);
    this.#tokens.shift();
    return [this.#branch(kind, end)];
  }

  #namedTemplate(word: string, end: number): TemplateNode | undefined {
    this.#skipSpace();
    const { text: literal = "", start = end } = this.#tokens.shift() ?? {};
    const name = /^["`]/.test(literal) ? unquote(literal) : undefined;
    if (name === undefined)
      throw new TemplateProblem(`unexpected ${JSON.stringify(literal || "}}")} in ${word} clause`);
    this.#skipSpace();
    const pipe = this.#tokens.length > 0 ? this.#pipe(`${word} clause`, end) : undefined;
    if (word === "template") return { kind: "template", name, pipe, start };
    const outer = this.#variables;
    this.#variables = ["$"];
    const { nodes, end: closing } = this.#list();
    this.#variables = outer;
    if (closing !== "end") throw new TemplateProblem(`unexpected {{else}} in ${word} clause`);
    this.#define(name, nodes);
    return word === "block" ? { kind: "template", name, pipe, start } : undefined;
  }

  /** A template of nothing but space never takes the place of another. */
  #define(name: string, nodes: readonly TemplateNode[]): void {
    const known = this.#named.get(name);
    if (known && isBlank(nodes)) return;
    if (known && !isBlank(known.nodes)) {
      throw new TemplateProblem(`template: multiple definition of template ${JSON.stringify(name)}`);
    }
    this.#named.set(name, { name, source: this.#source, nodes });
  }

  #skipSpace(): boolean {
    if (!/^\s/.test(this.#tokens.first?.text ?? "")) return false;
    this.#tokens.shift();
    return true;
  }

  #pipe(context: string, end: number): Pipe {
    this.#skipSpace();
    const start = this.#tokens.first?.start ?? end;
    const { variables, isAssignment } = this.#declaration(context);
    const commands: Command[] = [];
    do {
      this.#skipSpace();
      commands.push(this.#command(context));
      this.#skipSpace();
      // As in Go, a bar at the end is nothing.
    } while (this.#takeIf("|") && this.#tokens.words(1).length > 0);
    const stop = this.#tokens.first;
    if (stop && stop.text !== ")") throw new TemplateProblem(`unexpected ${JSON.stringify(stop.text)} in ${context}`);
    if (stop && context !== "parenthesized pipeline") throw new TemplateProblem("unexpected right paren");
    this.#variables.push(...variables);
    return { variables, isAssignment, commands, start, end: stop?.start ?? end };
  }

  /** `$x :=`, `$x =`, and for `range` also `$i, $x :=`. */
  #declaration(context: string): Pick<Pipe, "variables" | "isAssignment"> {
    const words = this.#tokens.words(4);
    const isVariable = (text: string | undefined) => text?.startsWith("$") ?? false;
    const count = words[1] === "," && context === "range" && isVariable(words[2]) ? 2 : 1;
    const sign = words[count === 2 ? 3 : 1];
    if (!isVariable(words[0]) || (sign !== ":=" && sign !== "=")) return { variables: [], isAssignment: false };
    while (this.#tokens.shift()?.text !== sign);
    const variables = count === 2 ? [words[0] as string, words[2] as string] : [words[0] as string];
    return { variables, isAssignment: sign === "=" };
  }

  #checkVariable(name: string): void {
    if (!this.#variables.includes(name)) throw new TemplateProblem(`undefined variable ${JSON.stringify(name)}`);
  }

  #takeIf(text: string): boolean {
    if (this.#tokens.first?.text !== text) return false;
    this.#tokens.shift();
    return true;
  }

  #command(context: string): Command {
    const args: Operand[] = [];
    while (this.#tokens.length > 0 && !/^[|)]$/.test(this.#tokens.first?.text ?? "")) {
      args.push(this.#operand(context));
      if (!this.#skipSpace()) break;
    }
    const next = this.#tokens.first?.text;
    if (args.length > 0 && next !== undefined && /^[.=]$/.test(next)) {
      throw new TemplateProblem(`unexpected ${next === "." ? "<.>" : JSON.stringify(next)} in operand`);
    }
    const [first] = args;
    if (!first) throw new TemplateProblem(`missing value for ${context}`);
    const last = args.at(-1) as Operand;
    return { args: args as [Operand], start: first.start, end: last.end };
  }

  #operand(context: string): Operand {
    const token = this.#tokens.shift() as Token;
    const { text, start } = token;
    const term = this.#term(token, context);
    const path: string[] = term.kind === "field" ? [text.slice(1)] : [];
    let { end } = term;
    const at = this.#tokens.first?.start ?? start;
    while (/^\.[\p{L}_]/u.test(this.#tokens.first?.text ?? "")) {
      const field = this.#tokens.shift() as Token;
      path.push(field.text.slice(1));
      end = field.end;
    }
    if (term.kind === "field" || term.kind === "variable") {
      return { ...term, path, start, end, at: path.length > (term.kind === "field" ? 1 : 0) ? at : start };
    }
    if (term.kind === "pipe") return { ...term, path, start, end };
    if (term.kind === "function" && path.length > 0) return { kind: "pipe", pipe: pipeOf(term), path, start, end };
    if (path.length > 0) throw new TemplateProblem(`unexpected . after term ${JSON.stringify(text)}`);
    return term;
  }

  #term({ text, start, end }: Token, context: string): Operand {
    const place = { start, end };
    if (text === ".") return { kind: "dot", ...place };
    if (text === "nil") return { kind: "nil", ...place };
    if (text === "true" || text === "false") return { kind: "bool", value: text === "true", ...place };
    if (text === "(") return this.#parenthesised(start);
    const first = text[0] as string;
    if (first === "$") {
      this.#checkVariable(text);
      return { kind: "variable", name: text, path: [], at: start, ...place };
    }
    if (/^\.[\p{L}_]/u.test(text)) return { kind: "field", path: [], at: start, ...place };
    if (first === '"' || first === "`") return { kind: "string", value: this.#unquoted(text), ...place };
    if (first === "'") return { kind: "number", ...characterOf(text), ...place };
    if (/^[+-]?\.?\d/.test(text)) return { kind: "number", ...numberOf(text), ...place };
    if (/^[\p{L}_]/u.test(text)) {
      if (!this.#isFunction(text)) throw new TemplateProblem(`function ${JSON.stringify(text)} not defined`);
      return { kind: "function", name: text, ...place };
    }
    throw new TemplateProblem(`unexpected ${JSON.stringify(text)} in ${context}`);
  }

  #parenthesised(start: number): Operand {
    if (++this.#depth > MAX_DEPTH) throw new TemplateProblem(`actions may nest ${MAX_DEPTH} deep`);
    const pipe = this.#pipe("parenthesized pipeline", this.#text.length);
    const close = this.#tokens.shift();
    if (close?.text !== ")") throw new TemplateProblem("unclosed left paren");
    this.#depth--;
    return { kind: "pipe", pipe, path: [], start, end: close.end };
  }

  #unquoted(literal: string): string {
    const text = unquote(literal);
    if (text === undefined) throw new TemplateProblem("invalid syntax");
    return text;
  }
}

/** As an empty `define`. */
export function isBlank(nodes: readonly TemplateNode[]): boolean {
  return nodes.every((node) => node.kind === "text" && node.text.trim() === "");
}

/** A function by itself, as if in parentheses. */
function pipeOf(operand: Operand): Pipe {
  const { start, end } = operand;
  return { variables: [], isAssignment: false, commands: [{ args: [operand], start, end }], start, end };
}
