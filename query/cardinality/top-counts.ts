export type NamedCount = { readonly name: string; readonly value: number };

/** The `size` largest of the counts that were added; among equal ones the first by name. */
export class TopCounts {
  readonly #size: number;
  /** A heap whose root is the first to go. */
  readonly #heap: NamedCount[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  add(name: string, value: number): void {
    const heap = this.#heap;
    if (heap.length === this.#size) {
      const root = heap[0];
      if (!root || value < root.value || (value === root.value && name > root.name)) return;
      heap[0] = { name, value };
      this.#sink();
      return;
    }
    heap.push({ name, value });
    let at = heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#goesBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Largest first. */
  sorted(): NamedCount[] {
    return [...this.#heap].sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
  }

  #sink(): void {
    for (let at = 0; ; ) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#goesBefore(child, first)) first = child;
      }
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #goesBefore(a: number, b: number): boolean {
    const left = this.#heap[a] as NamedCount;
    const right = this.#heap[b] as NamedCount;
    return left.value < right.value || (left.value === right.value && left.name > right.name);
  }

  #swap(a: number, b: number): void {
    const left = this.#heap[a] as NamedCount;
    this.#heap[a] = this.#heap[b] as NamedCount;
    this.#heap[b] = left;
  }
}
