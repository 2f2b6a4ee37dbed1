import type { AttributeType } from "@sightline/model/attributes.ts";
import { NumericHistogram, type NumericSummary } from "./numeric-histogram.ts";

const MAX_NAMES = 1_000;
/** Values of one attribute that are counted apart. */
const MAX_VALUES = 1_000;
/** Of all attributes together. */
const MAX_VALUES_IN_ALL = 200_000;
/** Longer values are not told apart. */
const MAX_VALUE_LENGTH = 1_024;
const NUMBER = /^[+-]?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?$/;

/** Where an attribute was found. */
export type FacetScope = "record" | "span" | "resource" | "scope" | "label" | "field" | "parsed";
export type Facet = {
  readonly name: string;
  readonly scope: FacetScope;
  /** How queries call it, where that is another name. */
  readonly label?: string;
  readonly types: readonly AttributeType[];
  /** Records that have it. */
  readonly count: number;
  /** Values that were told apart. */
  readonly distinct: number;
  /** False: there are more values than were told apart. */
  readonly isDistinctExact: boolean;
  /** The most frequent ones first. */
  readonly values: readonly { readonly value: string; readonly count: number }[];
  readonly numeric?: NumericSummary | undefined;
};

/** Values of one attribute. */
export class FacetColumn {
  readonly name: string;
  readonly scope: FacetScope;
  readonly label: string;
  readonly types = new Set<AttributeType>();
  readonly values = new Map<string, number>();
  readonly numbers = new NumericHistogram();
  count = 0;
  /** Records whose values were not told apart. */
  others = 0;
  readonly #budget: { left: number };

  constructor(name: string, scope: FacetScope, label: string, budget: { left: number }) {
    this.name = name;
    this.scope = scope;
    this.label = label;
    this.#budget = budget;
  }

  add(value: string, count: number): void {
    this.count += count;
    const known = this.values.get(value);
    if (known !== undefined) this.values.set(value, known + count);
    else if (value.length > MAX_VALUE_LENGTH || this.values.size >= MAX_VALUES || this.#budget.left <= 0) {
      this.others += count;
    } else {
      this.values.set(value, count);
      this.#budget.left--;
    }
    if (value.length < 64 && NUMBER.test(value)) this.numbers.add(Number(value), count);
  }
}

/** Counts values of attributes, in bounded memory: exactly, until an attribute has very many values. */
export class FacetCounter {
  readonly #columns = new Map<string, FacetColumn>();
  readonly #wants: (name: string, label: string) => boolean;
  readonly #budget = { left: MAX_VALUES_IN_ALL };

  constructor(wants: (name: string, label: string) => boolean = () => true) {
    this.#wants = wants;
  }

  /** Undefined for an attribute that nobody asked for, or one too many. */
  column(name: string, scope: FacetScope, type: AttributeType, label = name): FacetColumn | undefined {
    const key = `${scope} ${name}`;
    let column = this.#columns.get(key);
    if (!column) {
      if (this.#columns.size >= MAX_NAMES || !this.#wants(name, label)) return undefined;
      column = new FacetColumn(name, scope, label, this.#budget);
      this.#columns.set(key, column);
    }
    column.types.add(type);
    return column;
  }

  /** Those that most records have first; `wantsValue` leaves values out. */
  facets(maxValues: number, wantsValue: (value: string) => boolean = () => true): Facet[] {
    return [...this.#columns.values()]
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
      .map((column) => ({
        name: column.name,
        scope: column.scope,
        ...(column.label !== column.name && { label: column.label }),
        types: [...column.types].sort(),
        count: column.count,
        distinct: column.values.size,
        isDistinctExact: column.others === 0,
        values: mostFrequent(column.values, maxValues, wantsValue),
        ...(column.numbers.count === column.count && { numeric: column.numbers.summary() }),
      }));
  }
}

function mostFrequent(values: ReadonlyMap<string, number>, limit: number, wants: (value: string) => boolean) {
  return [...values]
    .filter(([value]) => wants(value))
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([value, count]) => ({ value, count }));
}
