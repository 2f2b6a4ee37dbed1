import { InvalidInputError } from "@sightline/model/errors.ts";
import { parsePrometheusDuration } from "@sightline/model/go-duration.ts";
import {
  Composer,
  Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";

/** Throws {@link InvalidInputError} for what is no YAML: `yaml: line 3: …`. */
export function readYaml(text: string, options: YamlReaderOptions = {}): YamlReader {
  const lines = new LineCounter();
  const document = firstDocument(text, lines);
  const [error] = document.errors;
  if (!error) return new YamlReader(document, lines, options);
  const { line } = lines.linePos(error.pos[0]);
  throw new InvalidInputError(`yaml: line ${line}: ${error.message}`);
}

/** As Go's decoder, which reads no further. */
function firstDocument(text: string, lines: LineCounter): Document {
  const tokens = new Parser(lines.addNewLine).parse(text);
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, lineCounter: lines });
  for (const token of tokens) for (const document of composer.next(token)) return document;
  for (const document of composer.end(true, text.length)) return document;
  return new Document(null);
}

export type YamlReaderOptions = {
  /** Keys that nobody knows are passed over. */
  readonly ignoresUnknown?: boolean;
};

/** So many values may come by way of aliases: a short text could else say more than anybody can read. */
const MAX_ALIASED_VALUES = 100_000;

/** Reads values of a YAML document as Go's decoder reads them into structs, and notes what does not fit. */
export class YamlReader {
  /** `line 3: field x not found in type y`, as Go words them. */
  readonly problems: string[] = [];
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly ignoresUnknown: boolean;
  /** How often each node was read. */
  readonly #reads = new Map<Node, number>();
  #repeated = 0;

  constructor(document: Document, lines: LineCounter, { ignoresUnknown = false }: YamlReaderOptions = {}) {
    this.#document = document;
    this.#lines = lines;
    this.ignoresUnknown = ignoresUnknown;
  }

  root(keys: readonly string[]): YamlFields {
    return new YamlValue(this, this.#document.contents as Node | null).map(keys);
  }

  /** Throws {@link InvalidInputError} for an alias of nothing, and when aliases make the document too long. */
  resolve(node: Node | null): Node | null {
    const value = isAlias(node) ? this.#anchored(node.source) : node;
    if (isMap(value) || isSeq(value)) this.#count(value);
    return value;
  }

  /** {@link Alias.resolve} looks through the document each time. */
  #anchored(name: string): Node {
    this.#anchors ??= anchorsOf(this.#document);
    const node = this.#anchors.get(name);
    if (!node) throw new InvalidInputError(`yaml: unknown anchor '${name}' referenced`);
    return node;
  }
  #anchors: ReadonlyMap<string, Node> | undefined;

  #count(node: YAMLMap | YAMLSeq): void {
    const reads = (this.#reads.get(node) ?? 0) + 1;
    this.#reads.set(node, reads);
    if (reads > 1) this.#repeated += 1 + node.items.length;
    if (this.#repeated > MAX_ALIASED_VALUES) {
      throw new InvalidInputError(`yaml: document contains excessive aliasing: more than ${MAX_ALIASED_VALUES} values`);
    }
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

  get isEmpty(): boolean {
    return isEmpty(this.#node);
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
    // Go's decoder, too, leaves out what is null.
    if (isSeq(node)) {
      const values = (node.items as Node[]).map((item) => new YamlValue(this.#reader, item));
      return values.filter((value) => !value.isEmpty);
    }
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

  /** Written as a text that can be nothing else. */
  get isQuoted(): boolean {
    return isScalar(this.#node) && (this.#node.type === "QUOTE_DOUBLE" || this.#node.type === "QUOTE_SINGLE");
  }

  texts(): Readonly<Record<string, string>> {
    const node = this.#node;
    if (isEmpty(node)) return {};
    if (!isMap(node)) {
      this.#reader.complain(node, `cannot unmarshal ${kindOf(node)} into map[string]string`);
      return {};
    }
    const texts = new Map<string, string>();
    for (const { key, value } of node.items) {
      const name = new YamlValue(this.#reader, key as Node).text();
      if (texts.has(name)) this.#reader.complain(key as Node, `mapping key ${JSON.stringify(name)} already defined`);
      texts.set(name, new YamlValue(this.#reader, value as Node | null).text());
    }
    return Object.fromEntries(texts);
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
      if (!keys.includes(name) && !reader.ignoresUnknown)
        reader.complain(key as Node, `field ${name} not found, there are ${keys.join(", ")}`);
      // The library would compare each key with each.
      if (this.#values.has(name)) reader.complain(key as Node, `mapping key ${JSON.stringify(name)} already defined`);
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

  /** As Go's decoder reads truths: those of YAML 1.1, but no texts and numbers. */
  boolean(key: string): boolean {
    const text = this.text(key);
    if (text === "" && !this.isQuoted(key)) return false;
    const isTrue = /^(?:y|yes|on|true)$/i.test(text);
    if (this.isQuoted(key) || !(isTrue || /^(?:n|no|off|false)$/i.test(text))) {
      this.#value(key).complain(`cannot unmarshal \`${text}\` into bool`);
    }
    return isTrue;
  }

  /** It is there, and not null. */
  isGiven(key: string): boolean {
    return !this.#value(key).isEmpty;
  }

  isQuoted(key: string): boolean {
    return this.#value(key).isQuoted;
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

/** Of an anchor that comes twice, the last one: files that need another are not worth it. */
function anchorsOf(document: Document): ReadonlyMap<string, Node> {
  const anchors = new Map<string, Node>();
  visit(document, {
    Node(_key, node) {
      if (!isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return anchors;
}

function isEmpty(node: Node | null): node is null {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

function kindOf(node: Node | null): string {
  if (isMap(node)) return "!!map";
  return isSeq(node) ? "!!seq" : "!!str";
}
