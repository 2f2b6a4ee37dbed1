import type { LabelBuilder } from "./label-builder.ts";

/** What a label filter of the pipeline says of one label. */
export type HintFilter = { readonly name: string; readonly passes: (labels: LabelBuilder) => boolean };

export const EXTRACTED = "_extracted";

/**
 * What parsers need not do (Loki's pkg/logql/log/parser_hints.go). A metric query over a grouping needs only the labels
 * named in it: a parser stops once it has them, so that what is malformed behind them is not noticed. And a line is dropped
 * as soon as an extracted label fails a later filter.
 */
export class ParserHints {
  readonly #noLabels: boolean;
  readonly #required: ReadonlySet<string>;
  readonly #filters: readonly HintFilter[];
  readonly #extracted = new Set<string>();
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
    if (this.#extracted.size === 0) return;
    this.#extracted.clear();
    this.#missing = this.#required.size;
  }

  /** Nothing need be extracted (any more). */
  get noLabels(): boolean {
    return this.#noLabels || this.allRequiredExtracted;
  }

  get allRequiredExtracted(): boolean {
    return this.#required.size > 0 && this.#missing === 0;
  }

  wants(name: string): boolean {
    return (this.#required.size === 0 || this.#required.has(name)) && !this.#extracted.has(name);
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
    return this.#extracted.has(name);
  }

  recordExtracted(name: string): void {
    if (this.#extracted.has(name)) return;
    this.#extracted.add(name);
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
