import type { Extraction, JsonStage } from "../ast.ts";
import { type JsonPath, parseJsonPath } from "./json-path.ts";
import { JsonError, JsonScanner, type JsonValue, jsonStringText } from "./json-scanner.ts";
import type { LabelBuilder } from "./label-builder.ts";
import { LabelNames, labelNameOfKey, partOfLabelName } from "./label-name.ts";
import { EXTRACTED } from "./parser-hints.ts";
import { JSON_ERROR, type PipelineRow, type Stage } from "./stage.ts";

/** Throws `StageError` for a path that is none. */
export function jsonStage({ extractions }: JsonStage): Stage {
  return extractions.length === 0 ? new JsonParser() : new JsonExtractor(extractions);
}

/** `| json`: every member that is no array or null becomes a label, those of nested objects named by their path. */
class JsonParser implements Stage {
  readonly reads = [];
  readonly #scanner = new JsonScanner();
  readonly #names = new LabelNames(labelNameOfKey);
  readonly #parts = new LabelNames(partOfLabelName);
  #isDropped = false;

  apply({ line, labels }: PipelineRow): boolean {
    if (labels.hints.noLabels) return true;
    this.#isDropped = false;
    this.#scanner.start(line);
    try {
      this.#scanner.eachMember(0, (key, value) => this.#take(labels, undefined, key, value));
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      labels.failParsing(JSON_ERROR, error.message);
    }
    return !this.#isDropped;
  }

  /** False when nothing more is needed of the line. `prefix` is undefined at the top. */
  #take(labels: LabelBuilder, prefix: string | undefined, key: string, value: JsonValue): boolean {
    if (value.type === "object") {
      const inner = this.#nameOf(prefix, key);
      if (!labels.hints.wantsPrefix(inner)) return true;
      return this.#scanner.eachMember(value.start, (member, at) => this.#take(labels, inner, member, at));
    }
    if (value.type !== "array" && value.type !== "null" && !this.#set(labels, prefix, key, value)) {
      this.#isDropped = true;
      return false;
    }
    return !labels.hints.allRequiredExtracted;
  }

  #nameOf(prefix: string | undefined, key: string): string {
    if (prefix === undefined || prefix === "") return this.#names.of(key);
    const part = this.#parts.of(key);
    return part === "" ? prefix : `${prefix}_${part}`;
  }

  /** False when a filter on the label drops the line. */
  #set(labels: LabelBuilder, prefix: string | undefined, key: string, value: JsonValue): boolean {
    const plain = this.#nameOf(prefix, key);
    if (prefix === undefined && plain === "") return true;
    const name = labels.isTaken(plain) ? plain + EXTRACTED : plain;
    if (!labels.hints.wants(name)) return true;
    const raw = this.#scanner.text(value);
    labels.set(name, value.type === "string" ? jsonStringText(raw, value.hasEscapes) : raw);
    return labels.hints.keepsLine(name, labels);
  }
}

/** `| json a="b.c[0]"`: a label per expression, empty where the line has nothing there. */
class JsonExtractor implements Stage {
  readonly reads = [];
  readonly #scanner = new JsonScanner();
  readonly #hasRepeatedNames: boolean;
  readonly #targets: readonly { readonly name: string; readonly path: JsonPath }[];

  constructor(extractions: readonly Extraction[]) {
    this.#targets = extractions.map(({ name, path }) => ({ name, path: parseJsonPath(path) }));
    this.#hasRepeatedNames = new Set(extractions.map(({ name }) => name)).size < extractions.length;
  }

  apply({ line, labels }: PipelineRow): boolean {
    if (line === "" || labels.hints.noLabels) return true;
    if (!/^["{[]/.test(line)) {
      labels.failParsing(JSON_ERROR, undefined);
      return true;
    }
    this.#scanner.start(line);
    const found = this.#targets.flatMap(({ name, path }) => this.#extract(name, path) ?? []);
    // Of several expressions for one label that counts that comes last in the line.
    if (this.#hasRepeatedNames) found.sort((a, b) => a.value.start - b.value.start);
    for (const { name, value } of found) labels.set(labels.freeName(name), this.#textOf(value));
    for (const { name } of this.#targets) if (labels.get(name) === undefined) labels.set(name, "");
    return true;
  }

  #extract(name: string, path: JsonPath): { readonly name: string; readonly value: JsonValue } | undefined {
    try {
      const value = this.#find(0, path, 0);
      return value && { name, value };
    } catch (error) {
      // A place that can't be reached is not there; the line may be broken behind it or before.
      if (!(error instanceof JsonError)) throw error;
      return undefined;
    }
  }

  #find(from: number, path: JsonPath, depth: number): JsonValue | undefined {
    const step = path[depth];
    let found: JsonValue | undefined;
    if (typeof step === "number") {
      const array = this.#scanner.value(from);
      found = array.type === "array" ? this.#scanner.element(array.start, step) : undefined;
    } else {
      this.#scanner.eachMember(from, (key, value) => {
        if (key === step) found = value;
        return found === undefined;
      });
    }
    if (!found || depth === path.length - 1) return found;
    const isInside = found.type === (typeof path[depth + 1] === "number" ? "array" : "object");
    return isInside ? this.#find(found.start, path, depth + 1) : undefined;
  }

  #textOf(value: JsonValue): string {
    const raw = this.#scanner.text(value);
    if (value.type === "null") return "";
    if (value.type === "object") return raw;
    // Loki takes the escapes out of an array's text as if it were a string.
    return value.type === "string" || value.type === "array" ? jsonStringText(raw, raw.includes("\\")) : raw;
  }
}
