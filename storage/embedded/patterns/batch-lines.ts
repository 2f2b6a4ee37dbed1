import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { Utf8Texts } from "@sightline/model/utf8-texts.ts";
import { LineBytes } from "./line-bytes.ts";

/** The bodies of a batch as UTF-8, one at a time: that of the row it went to last is in `bytes[from, to)`. */
export class BatchLines {
  readonly bytes: Buffer;
  from = 0;
  to = 0;
  readonly #texts: Utf8Texts | undefined;
  readonly #bodies: readonly string[];
  readonly #line: LineBytes | undefined;

  constructor(batch: LogBatch) {
    this.#texts = batch.bodyBytes;
    this.#bodies = this.#texts ? [] : batch.bodies;
    this.#line = this.#texts ? undefined : new LineBytes();
    this.bytes = (this.#texts ?? (this.#line as LineBytes)).bytes;
  }

  /** False when the row's body is empty. */
  go(row: number): boolean {
    if (this.#texts) {
      this.from = this.#texts.start(row);
      this.to = this.#texts.end(row);
    } else {
      this.#line?.set(this.#bodies[row] as string);
      this.to = this.#line?.length ?? 0;
    }
    return this.to > this.from;
  }
}
