import type { Expr } from "../ast.ts";
import { type ParseOptions, parsePromql } from "./parse-promql.ts";

/** Those of ten thousand rules; what is made of a character takes about 50 bytes. */
const MAX_CHARACTERS = 512 * 1024;
/** Of one query; longer ones are rare. */
const MAX_LENGTH = 2_000;

/** Queries as they were parsed lately: rules and dashboards ask the same texts again and again. */
export class ParsedQueries {
  readonly #options: ParseOptions;
  readonly #exprs = new Map<string, Expr>();
  #characters = 0;

  constructor(options: ParseOptions) {
    this.#options = options;
  }

  /** As {@link parsePromql}. The expression must not be changed. */
  parse(text: string): Expr {
    const known = this.#exprs.get(text);
    if (known) return known;
    const expr = parsePromql(text, this.#options);
    if (text.length > MAX_LENGTH) return expr;
    this.#exprs.set(text, expr);
    this.#characters += text.length;
    for (const oldest of this.#exprs.keys()) {
      if (this.#characters <= MAX_CHARACTERS) break;
      this.#exprs.delete(oldest);
      this.#characters -= oldest.length;
    }
    return expr;
  }
}
