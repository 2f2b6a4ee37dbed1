import type { Extraction } from "../ast.ts";
import { type JsonPath, parseJsonPath } from "./json-path.ts";
import { JsonError, JsonScanner, type JsonValue, jsonStringText, MALFORMED_JSON } from "./json-scanner.ts";
import type { LabelBuilder } from "./label-builder.ts";
import { JSON_ERROR, type PipelineRow, type Stage } from "./stage.ts";

const QUOTE = 0x22;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

type Target = { readonly name: string; readonly path: JsonPath };

/**
 * `| json a="b.c[0]"`: a label per expression, empty where the line has nothing there. The line is walked once and loosely, as
 * Loki's library does (EachKey): what is between keys is passed over whatever it is, so a broken line gives what can be found.
 */
export class JsonExtractor implements Stage {
  readonly reads = [];
  readonly #scanner = new JsonScanner();
  readonly #targets: readonly Target[];
  readonly #maxDepth: number;
  /** Of the line: which targets have been seen, and how many are missing. */
  readonly #isFound: Uint8Array;
  #missing = 0;
  /** The keys on the way to where the walk is, as far as a path may go. */
  readonly #keys: (string | undefined)[] = [];

  /** Throws `StageError` for a path that is none. */
  constructor(extractions: readonly Extraction[]) {
    this.#targets = extractions.map(({ name, path }) => ({ name, path: parseJsonPath(path) }));
    this.#maxDepth = Math.max(...this.#targets.map(({ path }) => path.length));
    this.#isFound = new Uint8Array(extractions.length);
  }

  apply({ line, labels }: PipelineRow): boolean {
    if (line === "" || labels.hints.noLabels) return true;
    if (!/^["{[]/.test(line)) {
      labels.failParsing(JSON_ERROR, undefined);
      return true;
    }
    this.#isFound.fill(0);
    this.#missing = this.#targets.length;
    this.#scanner.start(line);
    try {
      this.#walk(line, labels);
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      labels.failParsing(JSON_ERROR, error.message);
    }
    for (const { name } of this.#targets) if (labels.get(name) === undefined) labels.set(name, "");
    return true;
  }

  #walk(line: string, labels: LabelBuilder): void {
    let level = 0;
    for (let at = 0; at < line.length && this.#missing > 0; at++) {
      switch (line.charCodeAt(at)) {
        case QUOTE: {
          const behind = this.#string(line, at, level, labels);
          if (behind === undefined) return;
          at = behind;
          break;
        }
        case OPEN_BRACE:
          level++;
          break;
        case CLOSE_BRACE:
        case CLOSE_BRACKET:
          level--;
          break;
        case OPEN_BRACKET: {
          if (level < 0) throw MALFORMED_JSON;
          if (this.#hasIndexAt(level)) {
            at = this.#elements(line, at, level, labels) - 1;
            level++;
          } else {
            const end = this.#scanner.blockEnd(at, CLOSE_BRACKET);
            if (end === -1) return;
            at = end - 1;
          }
        }
      }
    }
  }

  /** A key, or a string that is none. Where the walk goes on behind; undefined when it can't. */
  #string(line: string, at: number, level: number, labels: LabelBuilder): number | undefined {
    const end = this.#scanner.stringEnd(at + 1);
    if (end === -1) return undefined;
    const next = this.#scanner.nextToken(end + 1);
    if (next === -1) return undefined;
    if (line.charCodeAt(next) !== COLON) return next - 1;
    if (level > this.#maxDepth) return next;
    if (level < 1) throw MALFORMED_JSON;
    this.#keys[level - 1] = this.#scanner.keyText(at + 1, end);
    for (const [i, { name, path }] of this.#targets.entries()) {
      if (path.length !== level || this.#isFound[i] === 1 || !this.#isOnPath(path, level)) continue;
      this.#found(i);
      this.#take(labels, name, () => this.#scanner.value(next + 1));
    }
    return next;
  }

  /** Whether the walk is at the first `length` steps of the path. */
  #isOnPath(path: JsonPath, length: number): boolean {
    for (let i = 0; i < length; i++) if (path[i] !== this.#keys[i]) return false;
    return true;
  }

  #isElementOf(i: number, level: number): boolean {
    const { path } = this.#targets[i] as Target;
    return this.#isFound[i] === 0 && typeof path[level] === "number" && this.#isOnPath(path, level);
  }

  #hasIndexAt(level: number): boolean {
    return this.#targets.some((_, i) => this.#isElementOf(i, level));
  }

  /** Where the array ends, or can be read no further. */
  #elements(line: string, start: number, level: number, labels: LabelBuilder): number {
    let at = this.#scanner.nextToken(start + 1);
    if (at === -1) return start + 1;
    if (line.charCodeAt(at) === CLOSE_BRACKET) return at;
    const wanted = this.#targets.map((_, i) => this.#isElementOf(i, level));
    for (let index = 0; ; index++) {
      let element: JsonValue;
      try {
        element = this.#scanner.value(at);
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
        return at;
      }
      for (const [i, { name, path }] of this.#targets.entries()) {
        if (!wanted[i] || path[level] !== index) continue;
        this.#found(i);
        const value = this.#inside(element, path.slice(level + 1));
        if (value) this.#take(labels, name, () => value);
      }
      at = this.#scanner.nextToken(element.type === "string" ? element.end + 1 : element.end);
      if (at === -1) return line.length;
      if (line.charCodeAt(at) !== COMMA) return at;
      at++;
    }
  }

  /** What a path leads to from an element of an array; undefined when nothing can be reached. */
  #inside(element: JsonValue, path: JsonPath): JsonValue | undefined {
    let value: JsonValue | undefined = element;
    try {
      for (const step of path) {
        const from: JsonValue = value as JsonValue;
        if (from.type !== (typeof step === "number" ? "array" : "object")) return undefined;
        value = typeof step === "number" ? this.#scanner.element(from.start, step) : this.#member(from.start, step);
        if (!value) return undefined;
      }
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      return undefined;
    }
    return value;
  }

  #member(from: number, name: string): JsonValue | undefined {
    let found: JsonValue | undefined;
    this.#scanner.eachMember(from, (key, value) => {
      if (key === name) found = value;
      return found === undefined;
    });
    return found;
  }

  #found(i: number): void {
    this.#isFound[i] = 1;
    this.#missing--;
  }

  #take(labels: LabelBuilder, name: string, read: () => JsonValue): void {
    try {
      labels.set(labels.freeName(name), this.#textOf(read()));
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      labels.failParsing(JSON_ERROR, error.message);
    }
  }

  #textOf(value: JsonValue): string {
    const raw = this.#scanner.text(value);
    if (value.type === "null") return "";
    if (value.type === "object") return raw;
    // Loki takes the escapes out of an array's text as if it were a string.
    return value.type === "string" || value.type === "array" ? jsonStringText(raw, raw.includes("\\")) : raw;
  }
}
