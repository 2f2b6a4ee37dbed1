import { hash } from "node:crypto";
import type { Labels } from "@sightline/model/labels.ts";
import type { LogEntry } from "../logql/result.ts";

/** How often a line was given by the feed, and shown. */
type Counts = { given: number; shown: number };

/** Some times as many as one look into the store gives: those that it may give again. */
const MAX_LINES = 16_000;

/**
 * Which lines of a tail were shown, whether a feed gave them, the store, or both, in whichever order: a line is shown as
 * often as it came. The newest 16,000 are known.
 */
export class ShownLines {
  readonly #counts = new Map<string, Counts>();
  readonly #streams = new WeakMap<Labels, string>();

  /** Whether a line has to be shown that a feed gives, which gives each once. */
  isNew(entry: LogEntry): boolean {
    const counts = this.#countsOf(entry);
    counts.given++;
    return show(counts, counts.given);
  }

  /** Those that have to be shown of all lines that the store has in a range of time, in the order of `entries`. */
  newOf(entries: readonly LogEntry[]): LogEntry[] {
    const found = new Map<Counts, number>();
    return entries.filter((entry) => {
      const counts = this.#countsOf(entry);
      const count = (found.get(counts) ?? 0) + 1;
      found.set(counts, count);
      return show(counts, count);
    });
  }

  #countsOf(entry: LogEntry): Counts {
    const key = this.#keyOf(entry);
    const counts = this.#counts.get(key) ?? { given: 0, shown: 0 };
    // To the end: the first ones are forgotten first.
    this.#counts.delete(key);
    this.#counts.set(key, counts);
    if (this.#counts.size > MAX_LINES) this.#counts.delete(this.#counts.keys().next().value as string);
    return counts;
  }

  #keyOf({ timeNs, line, stream }: LogEntry): string {
    let labels = this.#streams.get(stream);
    if (labels === undefined) {
      labels = JSON.stringify(stream);
      this.#streams.set(stream, labels);
    }
    return hash("sha1", `${timeNs} ${labels} ${line}`, "base64url");
  }
}

/** `count` of these are known to be there. */
function show(counts: Counts, count: number): boolean {
  if (count <= counts.shown) return false;
  counts.shown = count;
  return true;
}
