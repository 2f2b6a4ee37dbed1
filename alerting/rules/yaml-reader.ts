import { InvalidInputError } from "@sightline/model/errors.ts";
import { parsePrometheusDuration } from "@sightline/model/go-duration.ts";
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from "yaml";

/** Throws {@link InvalidInputError} for what is no YAML: `yaml: line 3: …`. */
export function readYaml(text: string): YamlReader {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const [error] = document.errors;
  if (!error) return new YamlReader(document, lines);
  const { line } = lines.linePos(error.pos[0]);
  throw new InvalidInputError(`yaml: line ${line}: ${error.message}`);
}

/** Reads values of a YAML document as Go's decoder reads them into structs, and notes what does not fit. */
export class YamlReader {
  /** `line 3: field x not found in type y`, as Go words them. */
  readonly problems: string[] = [];
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  root(keys: readonly string[]): YamlFields {
    return new YamlValue(this, this.#document.contents as Node | null).map(keys);
  }

  resolve(node: Node | null): Node | null {
    return isAlias(node) ? ((node.resolve(this.#document) as Node | undefined) ?? null) : node;
  }

  lineOf(node: Node | null): { readonly line: number; readonly column: number } {
    if (!node?.range) return { line: 0, column: 0 };
    const { line, col } = this.#lines.linePos(node.range[0]);
    return { line, column: col };
  }

  complain(node: Node | null, problem: string): void {
    this.problems.push(`line ${this.lineOf(node).line}: ${problem}`);
  }
}

export class YamlValue {
  readonly #reader: YamlReader;
  readonly #node: Node | null;

  constructor(reader: YamlReader, node: Node | null) {
    this.#reader = reader;
    this.#node = reader.resolve(node);
  }

  /** `line:column`; `0:0` for what is not there. */
  get position(): string {
    const { line, column } = this.#reader.lineOf(this.#node);
    return `${line}:${column}`;
  }

  map(keys: readonly string[]): YamlFields {
    const node = this.#node;
    if (isEmpty(node)) return new YamlFields(this.#reader, undefined, keys);
    if (isMap(node)) return new YamlFields(this.#reader, node, keys);
    this.#reader.complain(node, `cannot unmarshal ${kindOf(node)} into a mapping with the keys ${keys.join(", ")}`);
    return new YamlFields(this.#reader, undefined, keys);
  }

  list(): readonly YamlValue[] {
    const node = this.#node;
    if (isEmpty(node)) return [];
    if (isSeq(node)) return node.items.map((item) => new YamlValue(this.#reader, item as Node));
    this.#reader.complain(node, `cannot unmarshal ${kindOf(node)} into a list`);
    return [];
  }

  /** Whatever the scalar is written as: `1` and `true` are texts here. */
  text(): string {
    const node = this.#node;
    if (isEmpty(node)) return "";
    if (!isScalar(node)) {
      this.#reader.complain(node, `cannot unmarshal ${kindOf(node)} into string`);
      return "";
    }
    return typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
  }

  texts(): Readonly<Record<string, string>> {
    const node = this.#node;
    if (isEmpty(node)) return {};
    if (!isMap(node)) {
      this.#reader.complain(node, `cannot unmarshal ${kindOf(node)} into map[string]string`);
      return {};
    }
    const entries = node.items.map(({ key, value }) => [
      new YamlValue(this.#reader, key as Node).text(),
      new YamlValue(this.#reader, value as Node | null).text(),
    ]);
    return Object.fromEntries(entries);
  }

  complain(problem: string): void {
    this.#reader.complain(this.#node, problem);
  }
}

/** The entries of a mapping by their keys. */
export class YamlFields {
  readonly #reader: YamlReader;
  readonly #values = new Map<string, YamlValue>();

  constructor(reader: YamlReader, node: YAMLMap | undefined, keys: readonly string[]) {
    this.#reader = reader;
    for (const { key, value } of node?.items ?? []) {
      const name = new YamlValue(reader, key as Node).text();
      if (!keys.includes(name)) reader.complain(key as Node, `field ${name} not found, there are ${keys.join(", ")}`);
      this.#values.set(name, new YamlValue(reader, value as Node | null));
    }
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  text(key: string): string {
    return this.#value(key).text();
  }

  texts(key: string): Readonly<Record<string, string>> {
    return this.#value(key).texts();
  }

  list(key: string): readonly YamlValue[] {
    return this.#value(key).list();
  }

  positionOf(key: string): string {
    return this.#value(key).position;
  }

  /** In milliseconds; 0 for what is not there. */
  duration(key: string): number {
    const text = this.text(key);
    if (text === "") return 0;
    const duration = parsePrometheusDuration(text);
    if ("ns" in duration) return Math.round(duration.ns / 1e6);
    this.#value(key).complain(duration.error);
    return 0;
  }

  integer(key: string): number {
    const text = this.text(key);
    if (text === "") return 0;
    if (!/^[+-]?\d{1,15}$/.test(text)) this.#value(key).complain(`cannot unmarshal ${JSON.stringify(text)} into int`);
    return Math.trunc(Number(text)) || 0;
  }

  #value(key: string): YamlValue {
    return this.#values.get(key) ?? new YamlValue(this.#reader, null);
  }
}

function isEmpty(node: Node | null): node is null {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

function kindOf(node: Node | null): string {
  if (isMap(node)) return "!!map";
  return isSeq(node) ? "!!seq" : "!!str";
}
