const OTHER = "(other)";

/** Values for a metric label that clients choose: the first `max` different ones as they are, all later ones as one. */
export class BoundedLabel {
  readonly #max: number;
  readonly #seen = new Set<string>();
  constructor(max: number) {
    this.#max = max;
  }

  of(value: string): string {
    if (this.#seen.has(value)) return value;
    if (this.#seen.size >= this.#max) return OTHER;
    this.#seen.add(value);
    return value;
  }
}
