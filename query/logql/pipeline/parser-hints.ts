import type { LabelBuilder } from "./label-builder.ts";

/** What a label filter of the pipeline says of one label. */
export type HintFilter = { readonly name: string; readonly passes: (labels: LabelBuilder) => boolean };

export const EXTRACTED = "_extracted";
/** That are remembered from line to line. */
const MAX_NAMES = 4_096;

/**
 * What parsers need not do (Loki's pkg/logql/log/parser_hints.go). A metric query over a grouping needs only the labels
 * named in it: a parser stops once it has them, so that what is malformed behind them is not noticed. And a line is dropped
 * as soon as an extracted label fails a later filter.
 */
export class ParserHints {
  readonly #noLabels: boolean;
  readonly #required: ReadonlySet<string>;
  readonly #filters: readonly HintFilter[];
  /** Labels by the line that they were last extracted from. */
  readonly #extractedFrom = new Map<string, number>();
  #line = 1;
  #missing: number;
  /** `__error__` is asked for: a line with an error is then no error of the query. */
  readonly preservesError: boolean;

  constructor({ noLabels = false, required = [], filters = [] }: HintOptions) {
    this.#noLabels = noLabels;
    this.#required = new Set(required);
    this.#filters = filters;
    this.#missing = this.#required.size;
    this.preservesError = this.#required.has("__error__");
  }

  /** The only labels that matter; empty when any may. */
  get required(): ReadonlySet<string> {
    return this.#required;
  }

  reset(): void {
    this.#line++;
    this.#missing = this.#required.size;
    if (this.#extractedFrom.size > MAX_NAMES) this.#extractedFrom.clear();
  }

  /** Nothing need be extracted (any more). */
  get noLabels(): boolean {
    return this.#noLabels || this.allRequiredExtracted;
  }

  get allRequiredExtracted(): boolean {
    return this.#required.size > 0 && this.#missing === 0;
  }

  wants(name: string): boolean {
    return (this.#required.size === 0 || this.#required.has(name)) && !this.isExtracted(name);
  }

  mayWant(name: string): boolean {
    return this.#required.size === 0 || this.#required.has(name);
  }

  wantsPrefix(prefix: string): boolean {
    if (this.#required.size === 0) return true;
    for (const name of this.#required) if (name.startsWith(prefix)) return true;
    return false;
  }

  isExtracted(name: string): boolean {
    return this.#extractedFrom.get(name) === this.#line;
  }

  recordExtracted(name: string): void {
    if (this.isExtracted(name)) return;
    this.#extractedFrom.set(name, this.#line);
    if (this.#required.has(name)) this.#missing--;
  }

  /** False when a filter on this label, now that it is set, drops the line. */
  keepsLine(name: string, labels: LabelBuilder): boolean {
    for (const filter of this.#filters) if (filter.name === name) return filter.passes(labels);
    return true;
  }
}

export type HintOptions = {
  readonly noLabels?: boolean;
  readonly required?: readonly string[];
  readonly filters?: readonly HintFilter[];
};

/** A parsed label that meets a stream label gets a suffix; parsers look for it without. */
export function withPlainNames(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => (name.endsWith(EXTRACTED) ? [name, name.slice(0, -EXTRACTED.length)] : [name]));
}
