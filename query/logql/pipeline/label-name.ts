/** The label name of a key in a line (Loki's sanitizeLabelKey). "" when nothing is left of it. */
export function labelNameOfKey(key: string): string {
  const name = partOfLabelName(key);
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/** Without care for what a name may begin with. */
export function partOfLabelName(key: string): string {
  return key.trim().replaceAll(/[^a-zA-Z0-9_]/gu, "_");
}

/** Remembers the names of the keys it has seen; lines bring the same ones again and again. */
export class LabelNames {
  readonly #names = new Map<string, string>();
  readonly #make: (key: string) => string;

  constructor(make: (key: string) => string) {
    this.#make = make;
  }

  of(key: string): string {
    let name = this.#names.get(key);
    if (name === undefined) {
      name = this.#make(key);
      if (this.#names.size < MAX_NAMES) this.#names.set(key, name);
    }
    return name;
  }
}
const MAX_NAMES = 4_096;
