import { KeyTable } from "../metrics/key-table.ts";
import { decodeUtf8 } from "../wire/utf8.ts";

/**
 * Gives the symbols of remote write 2.0 requests numbers that do not change from request to request, by their bytes.
 * A symbol's text is decoded when it is seen for the first time ever.
 */
export class SymbolTable {
  readonly #numbers = new KeyTable();
  /** By number; undefined where a symbol is not valid UTF-8. */
  readonly #texts: (string | undefined)[] = [];
  /** The lasting numbers of the current request's symbols, in its order; {@link size} of them. */
  ofRequest = new Int32Array(1024);
  #size = 0;

  startRequest(): void {
    this.#size = 0;
  }

  /** How many symbols the request has. */
  get size(): number {
    return this.#size;
  }

  get byteSize(): number {
    return this.#numbers.byteSize * 2;
  }

  /** Adds the next symbol of the request. */
  add(view: DataView, start: number, end: number): void {
    let number = this.#numbers.find(view, start, end, 0);
    if (number < 0) {
      number = this.#texts.length;
      this.#texts.push(decodeUtf8(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), start, end));
      this.#numbers.add(view, start, end, 0, number);
    }
    if (this.#size === this.ofRequest.length) {
      const larger = new Int32Array(this.#size * 2);
      larger.set(this.ofRequest);
      this.ofRequest = larger;
    }
    this.ofRequest[this.#size++] = number;
  }

  /** The lasting number of the request's symbol `index`, which must be below {@link size}. */
  numberOf(index: number): number {
    return this.ofRequest[index] as number;
  }

  /** Undefined when the symbol is not valid UTF-8. */
  text(number: number): string | undefined {
    return this.#texts[number];
  }
}
