import type { AttributeColumn } from "@sightline/model/attributes.ts";
import type { Label } from "@sightline/model/labels.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";

/** Where a label comes from: of every record the same, or of a record's row. */
export type MetadataSource = {
  readonly name: string;
  readonly label?: Label;
  readonly valueAt: (batch: LogBatch, row: number) => string | undefined;
};

/**
 * Where the structured metadata of a stream's records comes from, in the order of labels, so that it need not be sorted
 * record by record. For a batch, and for records none of whose attributes is a map.
 */
export class MetadataSources {
  readonly #sources: readonly MetadataSource[];
  readonly #json: readonly AttributeColumn[];

  /** Of sources of one name the last that has a value counts. `json`: attributes that may be maps. */
  constructor(sources: readonly MetadataSource[], json: readonly AttributeColumn[]) {
    // Stable: of one name the last is still the last.
    this.#sources = sources.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    this.#json = json;
  }

  /** Whether {@link of} makes the labels of the row. The batch must have loaded it. */
  covers(row: number): boolean {
    for (const { values } of this.#json) if (values[row]?.startsWith("{")) return false;
    return true;
  }

  /** Sorted, without empty ones. The array is the caller's, its labels are not. */
  of(batch: LogBatch, row: number): Label[] {
    const labels: Label[] = [];
    let last = "";
    for (const { name, label, valueAt } of this.#sources) {
      const value = valueAt(batch, row);
      if (value === undefined || value === "") continue;
      if (name === last) labels.pop();
      labels.push(label ?? [name, value]);
      last = name;
    }
    return labels;
  }
}
