import { TooLargeError } from "@sightline/model/errors.ts";

/**
 * Items (records, spans) that one request may hold; senders batch some thousands. An empty item takes two bytes on the
 * wire and a hundred in memory, so that the number of bytes alone does not bound what a request costs.
 */
export const MAX_ITEMS = 1_000_000;
/**
 * Objects that one request may make beside its items, unless told otherwise: attributes of resources, events and links,
 * these themselves, and what arrays and maps hold. Each takes about a hundred bytes.
 */
export const MAX_OBJECTS = 1_000_000;
/** Characters in the strings of its arrays and maps, which become JSON: six characters for one, at worst. */
const MAX_JSON_CHARACTERS = 64 * 1024 * 1024;

/** What one request may hold; what is left out has its default. */
export type RequestBounds = { readonly maxDepth?: number | undefined; readonly maxObjects?: number | undefined };

/** Counts what a request makes us allocate and refuses it when that is beyond reason. */
export class ObjectBudget {
  readonly #maxObjects: number;
  #objectsLeft: number;
  #charactersLeft = MAX_JSON_CHARACTERS;

  constructor(maxObjects = MAX_OBJECTS) {
    this.#maxObjects = maxObjects;
    this.#objectsLeft = maxObjects;
  }

  /** Throws `TooLargeError` when one object more is one too many. */
  spend(): void {
    if (--this.#objectsLeft < 0) {
      throw new TooLargeError(
        `request holds more events, links, elements of arrays and attributes of resources than collector.limits.max_request_objects ` +
          `(${this.#maxObjects}) allows: send smaller batches, or raise it`,
      );
    }
  }

  /** Throws `TooLargeError` when that much text in arrays and maps is too much. */
  spendText(characters: number): void {
    this.#charactersLeft -= characters;
    if (this.#charactersLeft < 0) {
      throw new TooLargeError(
        `request holds more than ${MAX_JSON_CHARACTERS} characters in arrays and maps: send smaller batches`,
      );
    }
  }
}

/** Throws `TooLargeError` for more than so many. */
export function checkItemCount(count: number, items: string, maxItems = MAX_ITEMS): void {
  if (count > maxItems) {
    const allowed = maxItems === MAX_ITEMS ? "" : ", as many as collector.limits.max_request_objects allows";
    throw new TooLargeError(`request holds more than ${maxItems} ${items}${allowed}: send smaller batches`);
  }
}
