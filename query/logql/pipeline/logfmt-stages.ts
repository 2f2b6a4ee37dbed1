import type { Extraction, LogfmtStage } from "../ast.ts";
import { ERROR, type LabelBuilder, TOO_MANY_FIELDS } from "./label-builder.ts";
import { LabelNames, labelNameOfKey } from "./label-name.ts";
import { LogfmtScanner } from "./logfmt-scanner.ts";
import { EXTRACTED } from "./parser-hints.ts";
import { LOGFMT_ERROR, type PipelineRow, type Stage, StageError } from "./stage.ts";

/** Throws `StageError` for a path that is none. */
export function logfmtStage(stage: LogfmtStage): Stage {
  return stage.extractions.length === 0 ? new LogfmtParser(stage) : new LogfmtExtractor(stage);
}

/** `| logfmt`: every pair becomes a label; of several of one key the first. */
class LogfmtParser implements Stage {
  readonly reads = [];
  readonly #scanner = new LogfmtScanner();
  readonly #names = new LabelNames(labelNameOfKey);
  readonly #strict: boolean;
  readonly #keepEmpty: boolean;

  constructor({ strict, keepEmpty }: LogfmtStage) {
    this.#strict = strict;
    this.#keepEmpty = keepEmpty;
  }

  apply({ line, labels }: PipelineRow): boolean {
    const { hints } = labels;
    if (hints.noLabels) return true;
    const scanner = this.#scanner;
    scanner.start(line);
    while (!scanner.isAtEnd) {
      if (!scanner.next()) {
        if (this.#strict) break;
        continue;
      }
      const plain = this.#names.of(scanner.key);
      if (plain === "" || (scanner.value === "" && !this.#keepEmpty)) continue;
      const name = labels.isTaken(plain) ? plain + EXTRACTED : plain;
      if (!hints.wants(name)) continue;
      if (labels.isFull) {
        labels.failParsing(LOGFMT_ERROR, TOO_MANY_FIELDS);
        return hints.keepsLine(ERROR, labels);
      }
      labels.set(name, withoutReplacements(scanner.value));
      if (!hints.keepsLine(name, labels)) return false;
      if (hints.allRequiredExtracted) break;
    }
    if (!this.#strict || scanner.error === "") return true;
    labels.failParsing(LOGFMT_ERROR, scanner.error);
    return hints.keepsLine(ERROR, labels);
  }
}

function withoutReplacements(value: string): string {
  return value.includes("\ufffd") ? value.replaceAll("\ufffd", " ") : value;
}

/** `| logfmt a, b="key"`: a label per expression, empty where the line has no such key; of several the last. */
class LogfmtExtractor implements Stage {
  readonly reads = [];
  readonly meets: readonly string[];
  readonly #scanner = new LogfmtScanner();
  readonly #names = new LabelNames(labelNameOfKey);
  readonly #strict: boolean;
  /** The label by the key that it takes. */
  readonly #labelOf = new Map<string, string>();
  readonly #labels: ReadonlySet<string>;

  constructor({ extractions, strict }: LogfmtStage) {
    this.#strict = strict;
    for (const { name, path } of extractions) {
      const key = parseLogfmtKey(path);
      if (!this.#labelOf.has(key)) this.#labelOf.set(key, name);
    }
    this.#labels = new Set(extractions.map(({ name }: Extraction) => name));
    this.meets = [...this.#labels];
  }

  apply({ line, labels }: PipelineRow): boolean {
    if (labels.hints.noLabels) return true;
    for (const name of this.#labels) if (!labels.isTaken(name)) labels.set(name, "");
    const scanner = this.#scanner;
    scanner.start(line);
    while (!scanner.isAtEnd) {
      if (!scanner.next()) {
        if (this.#strict) break;
        continue;
      }
      const key = this.#names.of(scanner.key);
      // What a parser before has made a label of is not looked at again, but under that name.
      if (!this.#labels.has(key) && labels.hints.isExtracted(key)) continue;
      const name = this.#labelOf.get(key) ?? (this.#labels.has(key) ? key : undefined);
      if (name !== undefined && !this.#set(labels, name, scanner.value)) break;
    }
    if (this.#strict && scanner.error !== "") labels.failParsing(LOGFMT_ERROR, scanner.error);
    return true;
  }

  /** False when nothing more is needed of the line. */
  #set(labels: LabelBuilder, plain: string, value: string): boolean {
    const isTaken = labels.isTaken(plain);
    const name = isTaken ? plain + EXTRACTED : plain;
    if (isTaken && !labels.hints.wants(name)) return false;
    labels.set(name, value.includes("\ufffd") ? "" : value);
    return !labels.hints.allRequiredExtracted;
  }
}

/** A plain key, or one in quotes. */
function parseLogfmtKey(text: string): string {
  const key = /^\s*(?:([A-Za-z_]\w*)|"([^"\]]*)["\]]?)\s*$/.exec(text);
  if (key) return (key[1] ?? key[2]) as string;
  const strange = /[^\w\s"]/.exec(text);
  const problem = strange
    ? `unexpected char ${strange[0]}`
    : `syntax error${/\w\s+\w/.test(text) ? ": unexpected KEY" : ""}`;
  throw new StageError(`cannot parse expression [${text}]: ${problem}`);
}
