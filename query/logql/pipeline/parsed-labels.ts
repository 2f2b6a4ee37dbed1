import type { Label } from "@sightline/model/labels.ts";

/** Names that are remembered from line to line. */
const MAX_NAMES = 4_096;

/**
 * What parsers have made of a line, in the order in which they did. Used again for line after line: most have the same names in
 * the same order, so that these are neither gathered nor sorted anew.
 */
export class ParsedLabels {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  /** By number of the name: the last value, and the line that it is of. */
  readonly #values: string[] = [];
  readonly #lines: number[] = [];
  #line = 1;
  /** Numbers of the names that the line has. */
  readonly #order: number[] = [];
  /** What {@link sorted} was asked for last: the order of the names, and that in which they are sorted. */
  #lastOrder: readonly number[] = [];
  #lastSorted: readonly number[] = [];

  get size(): number {
    return this.#order.length;
  }

  /** For the next line. */
  clear(): void {
    this.#line++;
    this.#order.length = 0;
    if (this.#names.length <= MAX_NAMES) return;
    this.#numbers.clear();
    this.#names.length = 0;
    this.#values.length = 0;
    this.#lines.length = 0;
    this.#lastOrder = [];
    this.#lastSorted = [];
  }

  has(name: string): boolean {
    const number = this.#numbers.get(name);
    return number !== undefined && this.#lines[number] === this.#line;
  }

  get(name: string): string | undefined {
    const number = this.#numbers.get(name);
    return number !== undefined && this.#lines[number] === this.#line ? this.#values[number] : undefined;
  }

  set(name: string, value: string): void {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.push(name) - 1;
      this.#numbers.set(name, number);
    }
    if (this.#lines[number] !== this.#line) this.#order.push(number);
    this.#lines[number] = this.#line;
    this.#values[number] = value;
  }

  delete(name: string): void {
    if (!this.has(name)) return;
    const number = this.#numbers.get(name) as number;
    this.#lines[number] = 0;
    this.#order.splice(this.#order.indexOf(number), 1);
  }

  *[Symbol.iterator](): Generator<Label> {
    for (const number of this.#order) yield this.#label(number);
  }

  /** By name. The array is the caller's. */
  sorted(): Label[] {
    if (!this.#isInLastOrder()) {
      this.#lastOrder = [...this.#order];
      this.#lastSorted = this.#order.toSorted((a, b) =>
        (this.#names[a] as string) < (this.#names[b] as string) ? -1 : 1,
      );
    }
    const labels = new Array<Label>(this.#lastSorted.length);
    for (let i = 0; i < labels.length; i++) labels[i] = this.#label(this.#lastSorted[i] as number);
    return labels;
  }

  #isInLastOrder(): boolean {
    if (this.#lastOrder.length !== this.#order.length) return false;
    for (let i = 0; i < this.#order.length; i++) if (this.#order[i] !== this.#lastOrder[i]) return false;
    return true;
  }

  #label(number: number): Label {
    return [this.#names[number] as string, this.#values[number] as string];
  }
}
