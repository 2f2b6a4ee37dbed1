import { compileMatcher, type Matcher } from "@sightline/model/matcher.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { LabelIndex, SeriesSource } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

type Test = {
  readonly name: string;
  readonly accepts: (value: string) => boolean;
  /** All values that may pass, where they are known. */
  readonly literals?: Iterable<string> | undefined;
};

/** Matchers, by what they are good for. */
type Plan = {
  /** Series have to be in all of these. */
  readonly exact: ArrayLike<number>[];
  readonly testing: Test[];
  /** Series must not be in any of these: those of values that are named, and a query may name tens of thousands. */
  readonly refused: ArrayLike<number>[];
  readonly subtracting: Test[];
};

function planOf(index: LabelIndex, matchers: readonly Matcher[]): Plan {
  const plan: Plan = { exact: [], testing: [], refused: [], subtracting: [] };
  for (const matcher of distinct(matchers)) {
    const { name, op, value } = matcher;
    const accepts = compileMatcher(matcher);
    const named = literalsOf(matcher);
    // What accepts the empty value accepts series without the label, so it can only take series away.
    if (!accepts("")) {
      if (op === "=") plan.exact.push(index.postings(name, value));
      else plan.testing.push({ name, accepts, literals: op === "=~" ? named : undefined });
    } else if (named && op !== "=~" && op !== "=") {
      for (const one of named) if (!accepts(one)) plan.refused.push(index.postings(name, one));
    } else plan.subtracting.push({ name, accepts });
  }
  return plan;
}

/** An index that may also tell which values some of its series have. */
type SelectableIndex = LabelIndex & Partial<Pick<SeriesSource, "collectLabels">>;

/** Looking at the labels of so many series takes less time than a regular expression does for some hundred values. */
const MAX_FEW = 4_096;

/** Numbers of the series that match all matchers, ascending. Throws InvalidInputError for a bad regular expression. */
export async function selectSeries(
  index: SelectableIndex,
  matchers: readonly Matcher[],
  slice: TimeSlice,
): Promise<number[]> {
  const { exact, testing, refused, subtracting } = planOf(index, matchers);
  // From the shortest on, so that what is found gets short soon.
  let found = exact.sort((a, b) => a.length - b.length).reduce(intersect, undefined);
  for (const { name, accepts, literals } of testing) {
    if (found?.length === 0) break;
    found = intersect(found, await having(index, name, literals ?? valuesAmong(index, name, found), accepts, slice));
  }
  let ids = found ? Array.from(found) : Array.from({ length: index.seriesCount }, (_, id) => id);
  if (refused.length > 0) ids = subtract(ids, union(refused, index.seriesCount));
  for (const { name, accepts } of subtracting) {
    if (ids.length === 0) break;
    const without = await having(index, name, valuesAmong(index, name, ids), (value) => !accepts(value), slice);
    if (without.length > 0) ids = subtract(ids, without);
  }
  return ids;
}

/** Values of a label that these series may have: only theirs when they are few of all, else all there are. */
function valuesAmong(index: SelectableIndex, name: string, ids: ArrayLike<number> | undefined): Iterable<string> {
  if (!index.collectLabels || !ids || ids.length > MAX_FEW || 2 * ids.length > index.seriesCount) {
    return index.valuesOf(name);
  }
  const values = new Set<string>();
  index.collectLabels(Array.from(ids), name, values);
  return values;
}

/** Series with one of these values of a label that passes `test`, ascending. */
async function having(
  index: LabelIndex,
  name: string,
  values: Iterable<string>,
  test: (value: string) => boolean,
  slice: TimeSlice,
): Promise<ArrayLike<number>> {
  const lists: ArrayLike<number>[] = [];
  let count = 0;
  for (const value of values) {
    if ((++count & 63) === 0 && slice.due) await slice.pause();
    if (value !== "" && test(value)) lists.push(index.postings(name, value));
  }
  return union(lists, index.seriesCount);
}

function distinct(matchers: readonly Matcher[]): Iterable<Matcher> {
  if (matchers.length < 2) return matchers;
  return new Map(matchers.map((matcher) => [`${matcher.name}\u0001${matcher.op}${matcher.value}`, matcher])).values();
}

/** The values that a matcher names, when it names all that it is about. */
function literalsOf({ op, value }: Matcher): Iterable<string> | undefined {
  if (op === "=" || op === "!=") return [value];
  const { literals } = compileRegex(value);
  return literals && new Set(literals);
}

function union(lists: readonly ArrayLike<number>[], seriesCount: number): ArrayLike<number> {
  if (lists.length <= 1) return lists[0] ?? [];
  const marks = new Uint8Array(seriesCount);
  for (const list of lists) for (let i = 0; i < list.length; i++) marks[list[i] as number] = 1;
  const ids: number[] = [];
  for (let id = 0; id < seriesCount; id++) if (marks[id] === 1) ids.push(id);
  return ids;
}

/** From this many times as long on, a list is searched for the numbers of the other rather than walked through. */
const SEARCH_FACTOR = 8;
/** All zero between calls of {@link intersect}. */
let marks = new Uint8Array(0);

function intersect(a: ArrayLike<number> | undefined, b: ArrayLike<number>): ArrayLike<number> {
  if (!a) return b;
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (short.length * SEARCH_FACTOR < long.length) return those(short, long);
  const last = short.length === 0 ? -1 : (short[short.length - 1] as number);
  if (last >= marks.length) marks = new Uint8Array(last * 2 + 1);
  // Without a branch that depends on the numbers, which the processor would often guess wrong.
  const ids = new Uint32Array(short.length + 1);
  for (let i = 0; i < short.length; i++) marks[short[i] as number] = 1;
  let found = 0;
  for (let i = 0; i < long.length; i++) {
    const id = long[i] as number;
    if (id > last) break;
    ids[found] = id;
    found += marks[id] as number;
  }
  for (let i = 0; i < short.length; i++) marks[short[i] as number] = 0;
  return ids.subarray(0, found);
}

/** Numbers of the short list that the long one has, too. Looks ahead in leaps that double. */
function those(short: ArrayLike<number>, long: ArrayLike<number>): number[] {
  const ids: number[] = [];
  let from = 0;
  for (let i = 0; i < short.length && from < long.length; i++) {
    const id = short[i] as number;
    let leap = 1;
    while (from + leap < long.length && (long[from + leap] as number) < id) {
      from += leap;
      leap *= 2;
    }
    let to = Math.min(from + leap, long.length);
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((long[middle] as number) < id) from = middle + 1;
      else to = middle;
    }
    if (long[from] === id) ids.push(id);
  }
  return ids;
}

function subtract(a: readonly number[], b: ArrayLike<number>): number[] {
  const ids: number[] = [];
  let j = 0;
  for (const id of a) {
    while (j < b.length && (b[j] as number) < id) j++;
    if (b[j] !== id) ids.push(id);
  }
  return ids;
}
