import type { RandomNumbers } from "../promql-random-numbers.ts";

/** Every card comes once, in random order, before one comes again. */
export class Deck<Card> {
  readonly #cards: readonly Card[];
  readonly #random: RandomNumbers;
  #left: Card[] = [];

  constructor(cards: readonly Card[], random: RandomNumbers) {
    if (cards.length === 0) throw new Error("there is no fault of that name that can be made here");
    this.#cards = cards;
    this.#random = random;
  }

  next(): Card {
    if (this.#left.length === 0) this.#left = [...this.#cards];
    return this.#left.splice(this.#random.integer(0, this.#left.length - 1), 1)[0] as Card;
  }
}
