import type { JsonStage } from "../ast.ts";
import { JsonExtractor } from "./json-extractor.ts";
import { JsonError, JsonScanner, type JsonValue, jsonStringText } from "./json-scanner.ts";
import { type LabelBuilder, TOO_MANY_FIELDS } from "./label-builder.ts";
import { LabelNames, labelNameOfKey, partOfLabelName } from "./label-name.ts";
import { EXTRACTED } from "./parser-hints.ts";
import { JSON_ERROR, type PipelineRow, type Stage } from "./stage.ts";

const TOO_MANY = new JsonError(TOO_MANY_FIELDS);

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
    if (labels.isFull) throw TOO_MANY;
    const raw = this.#scanner.text(value);
    labels.set(name, value.type === "string" ? jsonStringText(raw, value.hasEscapes) : raw);
    return labels.hints.keepsLine(name, labels);
  }
}
