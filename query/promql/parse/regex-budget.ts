import { InvalidInputError } from "@sightline/model/errors.ts";

/** Compiling takes about 10 µs a character, and nobody else gets a turn meanwhile. */
const MAX_CHARACTERS = 10 * 1024;
/** That a short one takes no less than. */
const MIN_CHARACTERS = 8;

/** Adds up the regular expressions of one request. */
export class RegexBudget {
  readonly #seen = new Set<string>();
  #characters = 0;

  /** To be told of every one that is compiled. Throws `InvalidInputError`. */
  take(source: string): void {
    if (this.#seen.has(source)) return;
    this.#seen.add(source);
    this.#characters += Math.max(source.length, MIN_CHARACTERS);
    if (this.#characters <= MAX_CHARACTERS) return;
    throw new InvalidInputError(
      `the regular expressions have more than ${MAX_CHARACTERS} characters, ${MIN_CHARACTERS} counted for a shorter one`,
    );
  }
}
