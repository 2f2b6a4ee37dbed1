import { EMPTY_LABELS, type Labels, labelsKey, METRIC_NAME } from "@sightline/model/labels.ts";
import { dropLabels, keepLabels } from "../eval/result-labels.ts";

/** The labels of the group a series is in: those of `by (…)`, or all but those of `without (…)` and the name. */
export function groupLabels(names: readonly string[], without: boolean): (labels: Labels) => Labels {
  if (without) {
    const dropped = new Set([...names, METRIC_NAME]);
    return (labels) => dropLabels(labels, dropped);
  }
  if (names.length === 0) return () => EMPTY_LABELS;
  const kept = new Set(names);
  return (labels) => keepLabels(labels, kept);
}

/** Maps in maps are faster than keys of all labels, unless there are many. */
const MAX_NESTED = 10;

/** Finds the group of a series by its labels and makes one for the first series of each, in the order they come. */
export class GroupIndex<G> {
  readonly groups: G[] = [];
  readonly #names: readonly string[];
  readonly #without: boolean;
  readonly #labelsOf: (labels: Labels) => Labels;
  readonly #make: (labels: Labels) => G;
  /** With `by`: maps of values of the first name to maps of values of the second, and so on to groups. */
  readonly #byValues = new Map<string, unknown>();
  readonly #byKey = new Map<string, G>();
  /** Where in the labels of the last series each name was: series of one metric have the same names. */
  readonly #places: number[];

  constructor(names: readonly string[], without: boolean, make: (labels: Labels) => G) {
    this.#names = without ? [] : [...new Set(names)];
    this.#without = without;
    this.#labelsOf = groupLabels(names, without);
    this.#make = make;
    this.#places = this.#names.map(() => 0);
  }

  of(labels: Labels): G {
    if (this.#without || this.#names.length > MAX_NESTED) {
      const left = this.#labelsOf(labels);
      return this.#get(this.#byKey, labelsKey(left), labels);
    }
    if (this.#names.length === 0) return this.groups[0] ?? this.#add(labels);
    const last = this.#names.length - 1;
    let values = this.#byValues;
    for (let i = 0; i < last; i++) {
      const value = this.#valueOf(labels, i);
      let next = values.get(value) as Map<string, unknown> | undefined;
      if (!next) {
        next = new Map();
        values.set(value, next);
      }
      values = next;
    }
    return this.#get(values as Map<string, G>, this.#valueOf(labels, last), labels);
  }

  #get(groups: Map<string, G>, key: string, labels: Labels): G {
    let group = groups.get(key);
    if (group === undefined) {
      group = this.#add(labels);
      groups.set(key, group);
    }
    return group;
  }

  #add(labels: Labels): G {
    const group = this.#make(this.#labelsOf(labels));
    this.groups.push(group);
    return group;
  }

  /** Of a name that is grouped by, "" when the series has no such label. */
  #valueOf(labels: Labels, index: number): string {
    const name = this.#names[index] as string;
    const expected = labels[this.#places[index] as number];
    if (expected !== undefined && expected[0] === name) return expected[1];
    for (let place = 0; place < labels.length; place++) {
      const [key, value] = labels[place] as Labels[number];
      if (key !== name) continue;
      this.#places[index] = place;
      return value;
    }
    return "";
  }
}
