import { formatLabels, type Labels, sameLabels } from "@sightline/model/labels.ts";
import type { SeriesInfo, SeriesKey } from "@sightline/model/metric-batch.ts";
import { HashIndex } from "./hash-index.ts";
import { hashLabels } from "./labels-hash.ts";
import type { LabelIndex } from "./series-source.ts";

/** The series of one head, numbered in the order they came, with an inverted index of their labels. */
export class SeriesTable implements LabelIndex {
  readonly labels: Labels[] = [];
  readonly infos: SeriesInfo[] = [];
  readonly #hashes: number[] = [];
  readonly #byHash = new HashIndex();
  readonly #postings = new Map<string, Map<string, number[]>>();

  get seriesCount(): number {
    return this.labels.length;
  }

  hashOf(id: number): number {
    return this.#hashes[id] as number;
  }

  names(): Iterable<string> {
    return this.#postings.keys();
  }

  valuesOf(name: string): Iterable<string> {
    return this.#postings.get(name)?.keys() ?? [];
  }

  postings(name: string, value: string): readonly number[] {
    return this.#postings.get(name)?.get(value) ?? [];
  }

  /**
   * The number of the key's series, -1 when it is not here. `key.ref` is a hint that may be of an older head or another
   * store; on success it is right, and the table holds the key's own labels, so that next time one comparison of
   * references is enough.
   */
  find(key: SeriesKey): number {
    const { labels } = key;
    const hinted = this.labels[key.ref - 1];
    const id =
      hinted && sameLabels(hinted, labels)
        ? key.ref - 1
        : this.#byHash.find(hashLabels(labels), (candidate) => sameLabels(this.labels[candidate] as Labels, labels));
    if (id >= 0) {
      this.labels[id] = labels;
      key.ref = id + 1;
    }
    return id;
  }

  /** Adds the key's series, which must not be here yet, and returns its number. */
  add(key: SeriesKey): number {
    const { labels } = key;
    const id = this.labels.length;
    const hash = hashLabels(labels);
    this.labels.push(labels);
    this.infos.push(key.info);
    this.#hashes.push(hash);
    this.#byHash.add(hash, id);
    for (const [name, value] of labels) this.#post(name, value, id);
    key.ref = id + 1;
    return id;
  }

  nameOf(id: number): string {
    return formatLabels(this.labels[id] as Labels);
  }

  #post(name: string, value: string, id: number): void {
    let values = this.#postings.get(name);
    if (!values) {
      values = new Map();
      this.#postings.set(name, values);
    }
    const ids = values.get(value);
    if (ids) ids.push(id);
    else values.set(value, [id]);
  }
}
