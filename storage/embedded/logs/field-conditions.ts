import type { DuckDBValue } from "@duckdb/node-api";
import type { FieldFilter } from "@sightline/model/log-store.ts";
import { compileMatcher } from "@sightline/model/matcher.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import { isHexId, wordOfHex } from "../segments/hex-id.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";
import { SegmentLabel } from "./segment-label.ts";
import { isOneOf } from "./segment-log-source.ts";

/** Longer lists are left to whoever reads the rows. */
const MAX_LITERALS = 1_000;

/** A filter with what applies it to a value. */
export type CompiledField = {
  readonly name: string;
  readonly op: "=" | "!=" | "=~" | "!~";
  readonly value: string;
  readonly test: (value: string) => boolean;
  /** DuckDB can apply it, too. */
  readonly isKnownToSql: boolean;
};

/** Throws `InvalidInputError` for a regular expression that is not valid. */
export function compileField({ name, op = "=", value }: FieldFilter): Omit<CompiledField, "isKnownToSql"> {
  return { name, op, value, test: compileMatcher({ name, op, value }) };
}

/** What field filters mean for a segment. */
export type FieldConditions = {
  /** Those that may have such rows, ascending. */
  readonly streams: readonly number[];
  readonly conditions: readonly string[];
  /** No row meets the conditions that doesn't meet the filters. Rows that meet these always meet those. */
  readonly isSure: boolean;
};

/** Adds what conditions compare with to `values`. */
export function fieldConditions(
  fields: readonly CompiledField[],
  index: LogSegmentIndex,
  streams: readonly number[],
  values: DuckDBValue[],
): FieldConditions {
  let left = streams;
  let isSure = true;
  const conditions: string[] = [];
  for (const field of fields) {
    const label = new SegmentLabel(field.name, index);
    const made = new FieldCondition(field, label, values).over(left);
    left = made.streams;
    isSure &&= made.isSure;
    conditions.push(...made.conditions);
  }
  return { streams: left, conditions, isSure };
}

class FieldCondition {
  readonly #field: CompiledField;
  readonly #label: SegmentLabel;
  readonly #values: DuckDBValue[];

  constructor(field: CompiledField, label: SegmentLabel, values: DuckDBValue[]) {
    this.#field = field;
    this.#label = label;
    this.#values = values;
  }

  over(streams: readonly number[]): FieldConditions {
    const { texts, nested, mayBeInTail, isOpaque } = this.#label;
    if (isOpaque) return { streams, conditions: [], isSure: false };
    const { passing, unless, only, areAllKnown } = this.#sort(streams);
    const hasOwn = texts.length > 0 || nested.length > 0 || mayBeInTail;
    // Only what is used may make parameters.
    const parts: Part[] = [];
    if (passing.length > 0) parts.push({ streams: passing, condition: undefined });
    if (unless.length > 0) parts.push({ streams: unless, condition: hasOwn ? this.#unlessOwnFails() : undefined });
    if (only.length > 0 && hasOwn) parts.push({ streams: only, condition: this.#ownPasses() });
    const dependsOnRows = hasOwn && unless.length + only.length > 0;
    return {
      streams: parts.flatMap((part) => part.streams).sort((a, b) => a - b),
      conditions: anyOf(parts),
      isSure: areAllKnown && (!dependsOnRows || (this.#label.isSure && this.#field.isKnownToSql)),
    };
  }

  /** `passing` whatever the record has, `unless` it has the label itself and that fails, or `only` if that passes. */
  #sort(streams: readonly number[]) {
    const passing: number[] = [];
    const unless: number[] = [];
    const only: number[] = [];
    let areAllKnown = true;
    for (const number of streams) {
      const { kind, value } = this.#label.ofStream(number);
      if (kind === "unknown") {
        areAllKnown = false;
        passing.push(number);
      } else if (kind === "label") {
        if (this.#field.test(value)) passing.push(number);
      } else if (this.#field.test(value)) unless.push(number);
      else only.push(number);
    }
    return { passing, unless, only, areAllKnown };
  }

  /** Rows without a value of their own, or with one that passes. */
  #unlessOwnFails(): string | undefined {
    const [text] = this.#label.texts;
    if (!this.#label.isSure || !this.#field.isKnownToSql || text === undefined) return undefined;
    return `(coalesce(${text}, '') = '' OR ${this.#passes(text)})`;
  }

  #ownPasses(): string | undefined {
    const { texts, nested, mayBeInTail } = this.#label;
    if (!this.#field.isKnownToSql) return undefined;
    const parts = texts.map((text) => this.#isAndPasses(text));
    for (const column of nested) parts.push(`${column} IS NOT NULL`);
    if (mayBeInTail) parts.push(this.#tailMayHave());
    return parts.length === 0 ? "false" : `(${parts.join(" OR ")})`;
  }

  #isAndPasses(text: string): string {
    const { op, value, name } = this.#field;
    if (op === "=" && value === "") return "false";
    if (op !== "=") return `(${text} <> '' AND ${this.#passes(text)})`;
    // Compared as the numbers they are kept as.
    if (name === "trace_id" && text.includes("trace_high")) {
      if (!isHexId(value, 2)) return "false";
      return `(trace_high = ${wordOfHex(value, 0)}::UBIGINT AND trace_low = ${wordOfHex(value, 1)}::UBIGINT)`;
    }
    if (name === "span_id" && text.includes("span =")) {
      return isHexId(value, 1) ? `span = ${wordOfHex(value, 0)}::UBIGINT` : "false";
    }
    return this.#passes(text);
  }

  #passes(text: string): string {
    const { op, value } = this.#field;
    if (op === "=" || op === "!=") return `${text} ${op === "=" ? "=" : "<>"} ${this.#parameter(value)}`;
    const literals = compileRegex(value).literals;
    const not = op === "!~" ? "NOT " : "";
    if (literals) return `${not}(${text} IN (${literals.map((literal) => this.#parameter(literal)).join(", ")}))`;
    return `${not}regexp_full_match(${text}, ${this.#parameter(`(?s:${value})`)})`;
  }

  /** The tail is JSON: text that JSON may write in another way is not looked for. */
  #tailMayHave(): string {
    const { op, value } = this.#field;
    if (op !== "=" || !/^[\w .:@-]+$/.test(value)) return "tail IS NOT NULL";
    return `(tail IS NOT NULL AND contains(tail, ${this.#parameter(`"${value}"`)}))`;
  }

  #parameter(value: string): string {
    this.#values.push(value.toWellFormed());
    return `$${this.#values.length}`;
  }
}

/** Whether DuckDB has to be asked if it knows the expression. */
export function needsProbe({ op = "=", value }: FieldFilter): boolean {
  return (op === "=~" || op === "!~") && compileRegex(value).literals === undefined;
}

/** False for lists that are too long for a statement. */
export function fitsStatement({ op = "=", value }: FieldFilter): boolean {
  return op === "=" || op === "!=" || (compileRegex(value).literals?.length ?? 0) <= MAX_LITERALS;
}

type Part = { readonly streams: readonly number[]; readonly condition: string | undefined };

/** The parts have streams of their own; all other streams have been ruled out. */
function anyOf(parts: readonly Part[]): readonly string[] {
  if (parts.length === 1) return parts.flatMap(({ condition }) => condition ?? []);
  if (parts.every(({ condition }) => condition === undefined)) return [];
  const texts = parts.map(({ streams, condition }) => [isOneOf(streams), condition ?? []].flat().join(" AND "));
  return [`(${texts.join(" OR ")})`];
}
