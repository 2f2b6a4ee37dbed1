import type { MetricMetadata } from "@sightline/model/metric-batch.ts";

/**
 * Says the metadata of each metric once per batch, however many of its series the batch has, and without making it anew:
 * every batch says it again, because a decoder can't know which of its batches reached the store.
 */
export class MetadataOnce {
  readonly #kept: MetricMetadata[] = [];
  /** The last batch that each was said in. */
  readonly #saidIn: number[] = [];
  readonly #numbers = new Map<string, number>();
  #batch = 0;

  startBatch(): void {
    this.#batch++;
  }

  /** A number for {@link add}; -1 for no metadata. */
  keep(metadata: MetricMetadata | undefined): number {
    if (!metadata) return -1;
    const key = `${metadata.metric}\0${metadata.type}\0${metadata.unit}\0${metadata.help}\0${metadata.otelName}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#kept.length;
      this.#kept.push(metadata);
      this.#saidIn.push(0);
      this.#numbers.set(key, number);
    }
    return number;
  }

  add(to: MetricMetadata[], number: number): void {
    if (number < 0 || this.#saidIn[number] === this.#batch) return;
    this.#saidIn[number] = this.#batch;
    to.push(this.#kept[number] as MetricMetadata);
  }
}
