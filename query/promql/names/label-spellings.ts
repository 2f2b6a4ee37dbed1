import { escapeLabelName, isLegacyLabel } from "./escape-name.ts";

/** Finds stored labels by the other way of writing them: `http.request.method` and `http_request_method`. */
export class LabelSpellings {
  readonly #stored: ReadonlySet<string>;
  /** Names that need quotes, by how they are written without. */
  readonly #byEscaped = new Map<string, string[]>();

  constructor(stored: readonly string[]) {
    this.#stored = new Set(stored);
    for (const name of stored) {
      if (isLegacyLabel(name)) continue;
      const escaped = escapeLabelName(name);
      this.#byEscaped.set(escaped, [...(this.#byEscaped.get(escaped) ?? []), name]);
    }
  }

  /** Can a label be stored under another name than this? If not, there is no need to ask what is stored. */
  static mayDiffer(name: string): boolean {
    return !isLegacyLabel(name) || (name.includes("_") && !name.startsWith("__"));
  }

  has(name: string): boolean {
    return this.#stored.has(name);
  }

  /** The stored names that `name` may mean: itself when it is stored, and when nothing is found. */
  find(name: string): readonly string[] {
    if (this.#stored.has(name)) return [name];
    if (!isLegacyLabel(name)) {
      const escaped = escapeLabelName(name);
      return [this.#stored.has(escaped) ? escaped : name];
    }
    return this.#byEscaped.get(name) ?? [name];
  }
}
