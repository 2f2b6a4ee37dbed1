import { type Labels, labelsKey, METRIC_NAME } from "@sightline/model/labels.ts";
import type { VectorMatching } from "../ast.ts";
import { dropLabels, keepLabels } from "../eval/result-labels.ts";

/** The part of a label set that decides what it is matched with, as a key. */
export function signatureOf(matching: VectorMatching): (labels: Labels) => string {
  if (matching.on) {
    const names = new Set(matching.labels);
    return (labels) => labelsKey(keepLabels(labels, names));
  }
  const names = new Set([...matching.labels, METRIC_NAME]);
  return (labels) => labelsKey(dropLabels(labels, names));
}

/** The labels of a match group, for messages and for samples made up by `fill`. */
export function matchLabels(labels: Labels, matching: VectorMatching): Labels {
  return matching.on
    ? keepLabels(labels, new Set(matching.labels))
    : dropLabels(labels, new Set([...matching.labels, METRIC_NAME]));
}

/** One number for each signature, shared by both sides of an operator. */
export class SignatureIndex {
  readonly #signature: (labels: Labels) => string;
  readonly #ordinals = new Map<string, number>();

  constructor(matching: VectorMatching) {
    this.#signature = signatureOf(matching);
  }

  get size(): number {
    return this.#ordinals.size;
  }

  ordinal(labels: Labels): number {
    const key = this.#signature(labels);
    let ordinal = this.#ordinals.get(key);
    if (ordinal === undefined) {
      ordinal = this.#ordinals.size;
      this.#ordinals.set(key, ordinal);
    }
    return ordinal;
  }
}
