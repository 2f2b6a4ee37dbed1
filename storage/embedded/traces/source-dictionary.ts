import type { SpanSource } from "@sightline/model/span-batch.ts";
import { sourceKey } from "./span-segment-index.ts";

/** Numbers the sources of a segment, equal ones alike. */
export class SourceDictionary {
  readonly list: SpanSource[] = [];
  readonly #byObject = new Map<SpanSource, number>();
  readonly #byKey = new Map<string, number>();

  numberOf(source: SpanSource): number {
    let number = this.#byObject.get(source);
    if (number !== undefined) return number;
    const key = sourceKey(source);
    number = this.#byKey.get(key);
    if (number === undefined) {
      number = this.list.push(source) - 1;
      this.#byKey.set(key, number);
    }
    this.#byObject.set(source, number);
    return number;
  }
}
