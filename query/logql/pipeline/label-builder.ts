import { type Label, type Labels, labelValue } from "@sightline/model/labels.ts";
import { ParsedLabels } from "./parsed-labels.ts";
import { EXTRACTED, type ParserHints } from "./parser-hints.ts";

export const ERROR = "__error__";
export const ERROR_DETAILS = "__error_details__";
export const PRESERVE_ERROR = "__preserve_error__";

/** Labels of a line by where they come from. A parsed label may be empty. */
export type CategorizedLabels = { readonly stream: Labels; readonly metadata: Labels; readonly parsed: Labels };
const NONE: Labels = [];
/** Labels that one line can be parsed into. */
export const MAX_FIELDS = 10_000;
export const TOO_MANY_FIELDS = `the line has more than ${MAX_FIELDS} fields`;

/**
 * The labels of one line on its way through the stages (Loki's LabelsBuilder). Used again for line after line: call
 * {@link reset} first. What was parsed hides structured metadata of the same name, and both hide stream labels.
 */
export class LabelBuilder {
  readonly hints: ParserHints;
  #stream: Labels = NONE;
  #streamNames: ReadonlySet<string> = new Set();
  readonly #namesOf = new Map<Labels, ReadonlySet<string>>();
  #metadata: Labels = NONE;
  readonly #parsed = new ParsedLabels();
  readonly #deleted = new Set<string>();
  error = "";
  errorDetails = "";

  constructor(hints: ParserHints) {
    this.hints = hints;
  }

  /** `metadata` must not share a name with `stream`. */
  reset(stream: Labels, metadata: Labels): void {
    if (stream !== this.#stream) {
      this.#stream = stream;
      this.#streamNames = this.#namesIn(stream);
    }
    this.#metadata = metadata;
    if (this.#parsed.size > 0) this.#parsed.clear();
    if (this.#deleted.size > 0) this.#deleted.clear();
    this.error = "";
    this.errorDetails = "";
    this.hints.reset();
  }

  #namesIn(stream: Labels): ReadonlySet<string> {
    let names = this.#namesOf.get(stream);
    if (!names) {
      names = new Set(stream.map(([name]) => name));
      if (this.#namesOf.size > MAX_STREAMS_REMEMBERED) this.#namesOf.clear();
      this.#namesOf.set(stream, names);
    }
    return names;
  }

  /** Undefined when the line has no such label. */
  get(name: string): string | undefined {
    const parsed = this.#parsed.get(name);
    if (parsed !== undefined) return parsed;
    for (const [key, value] of this.#metadata) if (key === name) return value;
    if (!this.#streamNames.has(name) || this.#deleted.has(name)) return undefined;
    return labelValue(this.#stream, name);
  }

  /** The name under which a parser may set a label: it must not hide one of the stream or the metadata. */
  freeName(name: string): string {
    return this.#streamNames.has(name) || this.#metadataHas(name) ? name + EXTRACTED : name;
  }

  /** As {@link freeName} sees it: also when the stream's label has been dropped since. */
  isTaken(name: string): boolean {
    return this.#streamNames.has(name) || this.#metadataHas(name);
  }

  #metadataHas(name: string): boolean {
    for (const [key] of this.#metadata) if (key === name) return true;
    return false;
  }

  /** No more fields of this line can become labels: who parses it stops, with {@link TOO_MANY_FIELDS}. */
  get isFull(): boolean {
    return this.#parsed.size >= MAX_FIELDS;
  }

  set(name: string, value: string): void {
    if (this.#metadataHas(name)) this.#metadata = this.#metadata.filter(([key]) => key !== name);
    this.#parsed.set(name, value);
    this.hints.recordExtracted(name);
  }

  delete(name: string): void {
    this.#parsed.delete(name);
    if (this.#metadataHas(name)) this.#metadata = this.#metadata.filter(([key]) => key !== name);
    this.#deleted.add(name);
  }

  fail(error: string, details: string): void {
    this.error = error;
    this.errorDetails = details;
  }

  /** Of a parser: when the query asks for errors they are no failure of the query. */
  failParsing(error: string, details: string | undefined): void {
    this.error = error;
    if (details !== undefined) this.errorDetails = details;
    if (this.hints.preservesError) this.set(PRESERVE_ERROR, "true");
  }

  /** Of a filter: an error that is there already says more. */
  failFiltering(error: string, details: string): void {
    if (this.error === "") this.fail(error, details);
  }

  /** They are the stream's labels, and nothing else. */
  get isPlain(): boolean {
    return this.#deleted.size === 0 && this.#parsed.size === 0 && this.#metadata.length === 0 && this.error === "";
  }

  /** In no order. */
  *all(): Generator<Label> {
    yield* this.#visibleStream();
    yield* this.#metadata;
    yield* this.#parsedAndErrors();
  }

  /** An error hides a field of the line that has its name. */
  *#parsedAndErrors(): Generator<Label> {
    for (const label of this.#parsed) {
      const isHidden =
        (label[0] === ERROR && this.error !== "") || (label[0] === ERROR_DETAILS && this.errorDetails !== "");
      if (!isHidden) yield label;
    }
    if (this.error !== "") yield [ERROR, this.error];
    if (this.errorDetails !== "") yield [ERROR_DETAILS, this.errorDetails];
  }

  #visibleStream(): Labels {
    if (this.#deleted.size === 0 && this.#parsed.size === 0) return this.#stream;
    const hides = ([name]: Label) => !this.#deleted.has(name) && !this.#parsed.has(name);
    return this.#stream.every(hides) ? this.#stream : this.#stream.filter(hides);
  }

  /** The stream's labels are the same object while nothing hides any of them. */
  categorized(): CategorizedLabels {
    // Details stay when only the error has been dropped.
    const hasErrors = this.error !== "" || this.errorDetails !== "";
    const parsed = hasErrors ? sorted([...this.#parsedAndErrors()]) : this.#parsed.sorted();
    return { stream: this.#visibleStream(), metadata: this.#metadata, parsed };
  }

  /** All of them, sorted. */
  combined(): Labels {
    return this.isPlain ? this.#stream : sorted([...this.all()]);
  }

  /** Those of these names that the line has. Once dropped, a name stays away from groups though it be set again. */
  grouped(names: readonly string[]): Labels {
    const group: Label[] = [];
    for (const name of names) {
      const value = this.#deleted.has(name) ? undefined : this.get(name);
      if (value !== undefined) group.push([name, value]);
    }
    return group;
  }

  /** All but those of these names, sorted. */
  without(names: ReadonlySet<string>): Labels {
    const group: Label[] = [];
    for (const label of this.#visibleStream()) if (!names.has(label[0])) group.push(label);
    for (const label of this.#metadata) if (!names.has(label[0])) group.push(label);
    for (const label of this.#parsed) if (!names.has(label[0])) group.push(label);
    return sorted(group);
  }
}

const MAX_STREAMS_REMEMBERED = 10_000;

function sorted(labels: Label[]): Labels {
  return labels.length < 2 ? labels : labels.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
