import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";

/** Objects and arrays take far more memory than bytes: `{},` is three. A value of an attribute is one. */
const MAX_CONTAINERS = 5_000_000;
/** Numbers with this many digits may not fit into a double. */
const LONG_NUMBER_DIGITS = 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Looks a JSON text over before it is parsed: refuses what is nested too deep for parsers that recurse and
 * what would take too much memory, and tells
 * whether some number outside of strings has more digits than a double may hold.
 */
export function scanJson(bytes: Uint8Array, maxDepth: number): { readonly hasLongNumbers: boolean } {
  let depth = 0;
  let containers = 0;
  let digits = 0;
  let hasLongNumbers = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x30 && byte <= 0x39) {
      if (++digits >= LONG_NUMBER_DIGITS) hasLongNumbers = true;
      continue;
    }
    digits = 0;
    if (byte === QUOTE) i = endOfString(bytes, i);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > maxDepth) {
        throw new InvalidInputError(`JSON is nested deeper than ${maxDepth} levels at byte ${i} (limits.max_depth)`);
      }
      if (++containers > MAX_CONTAINERS) {
        throw new TooLargeError(
          `request holds more than ${MAX_CONTAINERS} JSON objects and arrays: send smaller batches`,
        );
      }
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
  }
  return { hasLongNumbers };
}

/** Where the quote is that ends the string starting at `start`, or the end of the text. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let i = start + 1; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) return i;
    if (byte === BACKSLASH) i++;
  }
  return bytes.length;
}
