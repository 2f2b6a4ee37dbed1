import { TooLargeError } from "@sightline/model/errors.ts";

/**
 * Items (records, spans) that one request may hold; senders batch some thousands. An empty item takes two bytes on the
 * wire and a hundred in memory, so that the number of bytes alone does not bound what a request costs.
 */
export const MAX_ITEMS = 1_000_000;
/**
 * Objects that one request may make beside its items: attributes of resources, events and links, these themselves, and
 * what arrays and maps hold.
 */
const MAX_OBJECTS = 4_000_000;
/** Characters in the strings of its arrays and maps, which become JSON: six characters for one, at worst. */
const MAX_JSON_CHARACTERS = 64 * 1024 * 1024;

/** Counts what a request makes us allocate and refuses it when that is beyond reason. */
export class ObjectBudget {
  #objectsLeft = MAX_OBJECTS;
  #charactersLeft = MAX_JSON_CHARACTERS;

  /** Throws `TooLargeError` when one object more is one too many. */
  spend(): void {
    if (--this.#objectsLeft < 0) {
      throw new TooLargeError(
        `request holds more than ${MAX_OBJECTS} events, links, elements of arrays and attributes of resources: send smaller batches`,
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

/** Throws `TooLargeError` for more than {@link MAX_ITEMS}. */
export function checkItemCount(count: number, items: string): void {
  if (count > MAX_ITEMS) {
    throw new TooLargeError(`request holds more than ${MAX_ITEMS} ${items}: send smaller batches`);
  }
}
