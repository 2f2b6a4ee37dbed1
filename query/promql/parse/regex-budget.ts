import { InvalidInputError } from "@sightline/model/errors.ts";

/** Compiling takes about 10 µs a character, and nobody else gets a turn meanwhile. */
const MAX_CHARACTERS = 10 * 1024;
/** That a short one takes no less than. */
const MIN_CHARACTERS = 8;

/** A list of texts is not compiled, but read. */
const LIST_CHARACTERS = 4;

/** Adds up the regular expressions of one request. */
export class RegexBudget {
  readonly #seen = new Set<string>();
  #characters = 0;

  /** To be told of every one; `isList`: of texts, as `a|b`. Throws `InvalidInputError`. */
  take(source: string, isList: boolean): void {
    if (this.#seen.has(source)) return;
    this.#seen.add(source);
    this.#characters += isList ? LIST_CHARACTERS : Math.max(source.length, MIN_CHARACTERS);
    if (this.#characters <= MAX_CHARACTERS) return;
    throw new InvalidInputError(
      `the regular expressions have more than ${MAX_CHARACTERS} characters, ${MIN_CHARACTERS} counted for a shorter one, and ${LIST_CHARACTERS} for a list of texts`,
    );
  }
}
