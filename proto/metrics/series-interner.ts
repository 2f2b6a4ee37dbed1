import type { Label, Labels } from "@sightline/model/labels.ts";
import { type SeriesInfo, SeriesKey } from "@sightline/model/metric-batch.ts";
import { KeyTable } from "./key-table.ts";
import { hashLabels, SeriesIndex } from "./series-index.ts";

/**
 * The series of one tenant: hands out the same {@link SeriesKey} for the same labels and info, whichever wire format
 * they came in. Decoders find series by the bytes on the wire ({@link KeyTable}s of their own) and come here only for
 * what they have not seen before.
 *
 * Grows until its owner drops it; batches that hold its `series` stay valid.
 */
export class SeriesInterner {
  /** Shared by all batches: see `MetricBatch.series`. */
  readonly series: SeriesKey[] = [];
  /** References by the labels as remote write 1.0 spells them, prefix 0: what its decoder has seen, and only that. */
  readonly byLabelBytes = new KeyTable();
  readonly #maxSeries: number;
  readonly #labels = new Map<string, Map<string, Label>>();
  #labelCount = 0;
  readonly #byLabels = new SeriesIndex(this.series);

  /** Twice `maxSeries` are taken, so that a request is seldom cut when its owner drops it beyond `maxSeries`. */
  constructor(maxSeries: number) {
    this.#maxSeries = maxSeries;
  }

  /** How much it holds, in series of the usual size: long keys and respellings count like series. */
  get load(): number {
    return Math.max(this.series.length, this.byLabelBytes.byteSize / USUAL_BYTES, this.#labelCount / USUAL_LABELS);
  }

  /**
   * The reference of a series, made when it is new; -1 when there is no room, until the next batch. `labels` are valid
   * and sorted, and belong to the interner from here on.
   */
  intern(labels: Labels, info: SeriesInfo): number {
    const hash = hashLabels(labels);
    const known = this.#byLabels.find(hash, labels, info);
    if (known >= 0) return known;
    if (this.load > 2 * this.#maxSeries) return -1;
    const ref = this.series.length;
    this.series.push(new SeriesKey(labels, info));
    this.#byLabels.add(hash, ref);
    return ref;
  }

  /** The one object for a label: most labels are those of many series. */
  label(name: string, value: string): Label {
    let byValue = this.#labels.get(name);
    if (!byValue) {
      byValue = new Map();
      this.#labels.set(name, byValue);
    }
    let label = byValue.get(value);
    if (!label) {
      label = [name, value];
      byValue.set(value, label);
      this.#labelCount++;
    }
    return label;
  }
}

const USUAL_BYTES = 1024;
/** Labels that a series has for itself take as much memory as the rest of it. */
const USUAL_LABELS = 4;
