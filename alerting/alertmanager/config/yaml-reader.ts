import { InvalidInputError } from "@sightline/model/errors.ts";
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLParseError } from "yaml";
import { goQuote } from "../matchers/go-quote.ts";
import { parseGoDurationMs } from "../timing/duration.ts";

/** A file of a tenant with thousands of routes is far smaller. */
const MAX_CONFIG_LENGTH = 4 * 1024 * 1024;
/** Lines, list items and keys, counted by what stands before them: reading 100,000 takes about half a second. */
const MAX_PARTS = 100_000;
/** Against aliases of aliases: a few lines that are gigabytes. */
const MAX_ALIASES = 100;
const MAX_DEPTH = 64;
const TRUE = /^(?:y|yes|on|true)$/i;
const FALSE = /^(?:n|no|off|false)$/i;

/** A value of the file; undefined where there is none, or null. */
export type YamlValue = Node | undefined;

/**
 * Reads a configuration file as Go's yaml.v2 does in strict mode: what has the wrong type, and what nobody knows, is said with
 * its line, all at once.
 */
export class YamlReader {
  readonly #lines = new LineCounter();
  readonly #document;
  readonly #errors: string[] = [];

  /** Throws `InvalidInputError` when it is no YAML. */
  constructor(text: string) {
    if (text.length > MAX_CONFIG_LENGTH) {
      throw new InvalidInputError(`the configuration is longer than ${MAX_CONFIG_LENGTH} characters`);
    }
    if (countParts(text) > MAX_PARTS) {
      throw new InvalidInputError(`the configuration has more than ${MAX_PARTS} lines, items and keys`);
    }
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: true,
      merge: true,
    });
    // Of several documents the first one counts.
    const error = this.#document.errors.find(({ code }) => code !== "MULTIPLE_DOCS");
    if (error) {
      const { line } = this.#lines.linePos(error.pos[0]);
      throw new InvalidInputError(syntaxMessage(error, text, line), { cause: error });
    }
    this.#checkAliases();
  }

  get root(): YamlValue {
    return this.#resolve(this.#document.contents);
  }

  /** Throws `InvalidInputError` with all that was wrong so far. */
  assertRead(): void {
    if (this.#errors.length > 0) throw new InvalidInputError(`yaml: unmarshal errors:\n  ${this.#errors.join("\n  ")}`);
  }

  /** Says that something of the value is wrong, in words of yaml.v2. */
  complain(value: YamlValue, message: string): void {
    this.#errors.push(`line ${this.lineOf(value)}: ${message}`);
  }

  lineOf(value: YamlValue): number {
    return value?.range ? this.#lines.linePos(value.range[0]).line : 1;
  }

  /** Where a value is that a path leads to, for messages: its line, and what is there. */
  place(value: YamlValue, path: readonly PropertyKey[]): { readonly line: number; readonly found: string } {
    let found = value;
    for (const step of path) {
      const next = isMap(found) || isSeq(found) ? found.get(step, true) : undefined;
      if (next === undefined) break;
      found = this.#resolve(next as Node);
    }
    return { line: this.lineOf(found ?? value), found: describe(found) };
  }

  /** The fields of a mapping by name. `known`: others are complained of, as fields of `typeName`; undefined: all are fine. */
  fields(value: YamlValue, typeName: string, known?: ReadonlySet<string>): ReadonlyMap<string, YamlValue> {
    const fields = new Map<string, YamlValue>();
    if (value === undefined) return fields;
    if (!isMap(value)) {
      this.complain(value, `cannot unmarshal ${describe(value)} into ${typeName}`);
      return fields;
    }
    const merged: YamlValue[] = [];
    for (const { key, value: field } of value.items) {
      const name = isScalar(key) ? String(key.source ?? key.value) : String(key);
      const target = this.#resolve(field as Node | null);
      if (name === "<<") merged.push(...(isSeq(target) ? this.list(target, typeName) : [target]));
      else if (known && !known.has(name)) this.complain(key as Node, `field ${name} not found in type ${typeName}`);
      else fields.set(name, target);
    }
    for (const more of merged) {
      for (const [name, field] of this.fields(more, typeName, known)) if (!fields.has(name)) fields.set(name, field);
    }
    return fields;
  }

  list(value: YamlValue, typeName: string): readonly YamlValue[] {
    if (value === undefined) return [];
    if (isSeq(value)) return value.items.map((item) => this.#resolve(item as Node | null));
    this.complain(value, `cannot unmarshal ${describe(value)} into []${typeName}`);
    return [];
  }

  /** As it is written: `1`, `yes` and `1.0` are texts, too. */
  text(value: YamlValue): string | undefined {
    if (value === undefined) return undefined;
    if (isScalar(value)) return typeof value.value === "string" ? value.value : (value.source ?? String(value.value));
    this.complain(value, `cannot unmarshal ${describe(value)} into string`);
    return undefined;
  }

  texts(value: YamlValue): readonly string[] | undefined {
    if (value === undefined) return undefined;
    return this.list(value, "string").map((item) => this.text(item) ?? "");
  }

  textMap(value: YamlValue, typeName = "map[string]string"): ReadonlyMap<string, string> {
    return new Map([...this.fields(value, typeName)].map(([name, field]) => [name, this.text(field) ?? ""]));
  }

  boolean(value: YamlValue): boolean | undefined {
    const text = this.text(value);
    if (text === undefined) return undefined;
    if (TRUE.test(text)) return true;
    if (!FALSE.test(text)) this.complain(value, `cannot unmarshal ${describe(value)} into bool`);
    return false;
  }

  /** Throws `InvalidInputError` for what is no duration. */
  durationMs(value: YamlValue): number | undefined {
    const text = this.text(value);
    return text === undefined ? undefined : parseGoDurationMs(text);
  }

  plain(value: YamlValue): unknown {
    return value === undefined ? undefined : value.toJS(this.#document, { maxAliasCount: MAX_ALIASES });
  }

  #resolve(node: Node | null | undefined): YamlValue {
    const target = isAlias(node) ? node.resolve(this.#document) : node;
    if (target === null || target === undefined) return undefined;
    return isScalar(target) && target.value === null ? undefined : (target as Node);
  }

  #checkCycles(node: unknown, above: readonly unknown[]): void {
    if (above.length > MAX_DEPTH) return;
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (!target) throw new Error(`unknown anchor '${node.source}' referenced`);
      if (above.includes(target)) throw new Error(`anchor '${node.source}' value contains itself`);
    } else if (isMap(node)) {
      for (const { value } of node.items) this.#checkCycles(value, [...above, node]);
    } else if (isSeq(node)) {
      for (const item of node.items) this.#checkCycles(item, [...above, node]);
    }
  }

  /** Whoever walks the tree later follows aliases without end otherwise. */
  #checkAliases(): void {
    try {
      this.#checkCycles(this.#document.contents, []);
      const depth = depthOf(this.#document.contents, 0);
      if (depth > MAX_DEPTH) throw new InvalidInputError(`it is nested deeper than ${MAX_DEPTH} levels`);
      this.#document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (cause) {
      throw new InvalidInputError(`yaml: ${(cause as Error).message}`, { cause });
    }
  }
}

function countParts(text: string): number {
  let parts = 0;
  for (let i = 0; i < text.length && parts <= MAX_PARTS; i++) if ("\n,:[{".includes(text[i] as string)) parts++;
  return parts;
}

function depthOf(node: unknown, depth: number): number {
  if (depth > MAX_DEPTH) return depth;
  if (isMap(node)) return Math.max(depth, ...node.items.map(({ value }) => depthOf(value, depth + 1)));
  if (isSeq(node)) return node.items.reduce<number>((most, item) => Math.max(most, depthOf(item, depth + 1)), depth);
  return depth;
}

function syntaxMessage({ code, message, pos }: YAMLParseError, text: string, line: number): string {
  if (code === "DUPLICATE_KEY") {
    const [name = ""] = /^[^\s:,{}[\]]*/.exec(text.slice(pos[0])) ?? [];
    return `yaml: unmarshal errors:\n  line ${line}: key ${goQuote(name)} already set in map`;
  }
  return `yaml: line ${line}: ${message}`;
}

function describe(value: YamlValue): string {
  if (isMap(value)) return "!!map";
  if (isSeq(value)) return "!!seq";
  const scalar = isScalar(value) ? value.value : undefined;
  const tag = { string: "!!str", number: "!!int", bigint: "!!int", boolean: "!!bool" }[typeof scalar as "string"] ?? "";
  const text = String(scalar);
  return `${tag} \`${text.length > 10 ? `${text.slice(0, 7)}...` : text}\``;
}

/** Names a value in messages about it. */
export function quoted(text: string): string {
  return goQuote(text);
}
