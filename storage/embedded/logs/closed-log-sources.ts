import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { LogSource } from "./log-source.ts";

/** Of a source: its batches, of which the first is on its way. */
export type OpenedLogSource = {
  readonly source: LogSource;
  readonly rest: AsyncGenerator<LogBatch>;
  readonly first: Promise<IteratorResult<LogBatch>>;
};

/** Whether `a` comes first in the order of the query. */
export type Before = (a: bigint, b: bigint) => boolean;

type Closed = {
  readonly source: LogSource;
  readonly firstNs: bigint;
  readonly isNarrow: boolean;
  opened?: OpenedLogSource;
};

/** One that is needed, and those behind it that may be. */
const OPEN_AT_A_TIME = 4;

/**
 * Sources in the order of their first rows, to be opened when one of them may have the next row. A file is read in many
 * short steps, with a wait before each when the process is busy: so those that overlap the one that is needed are opened with it.
 */
export class ClosedLogSources {
  readonly #before: Before;
  readonly #enough = new AbortController();
  /** From {@link #next} on in order. */
  readonly #sources: Closed[];
  #next = 0;

  constructor(sources: readonly LogSource[], before: Before) {
    this.#before = before;
    this.#sources = sources
      .map((source) => ({ source, firstNs: source.firstNs, isNarrow: source.narrow === undefined }))
      .sort((a, b) => (a.firstNs === b.firstNs ? 0 : before(a.firstNs, b.firstNs) ? -1 : 1));
  }

  /** No row of them comes before this time; undefined: there are none. */
  get firstNs(): bigint | undefined {
    return this.#sources[this.#next]?.firstNs;
  }

  /** Opens the first one, unless `topTime` comes before all its rows. */
  async open(topTime: bigint | undefined): Promise<OpenedLogSource | undefined> {
    for (;;) {
      const first = this.#sources[this.#next];
      if (!first || (topTime !== undefined && this.#before(topTime, first.firstNs))) return undefined;
      if (!first.isNarrow) {
        await this.#narrow();
        continue;
      }
      this.#next++;
      const opened = this.#opened(first);
      if (first.source.mayOpenAhead) this.#openAhead(first.source.lastNs);
      return opened;
    }
  }

  /** Lets go of what was opened and not asked for. */
  async close(): Promise<void> {
    this.#enough.abort();
    const ahead = this.#sources.slice(this.#next).flatMap(({ opened }) => opened ?? []);
    await Promise.all(ahead.map(({ rest }) => rest.return(undefined).catch(() => {})));
  }

  /** The first ones, as far as they overlap. */
  async #narrow(): Promise<void> {
    const { lastNs } = (this.#sources[this.#next] as Closed).source;
    const wide: Closed[] = [];
    for (let at = this.#next; at < this.#sources.length && wide.length < OPEN_AT_A_TIME; at++) {
      const closed = this.#sources[at] as Closed;
      if (this.#before(lastNs, closed.firstNs)) break;
      if (!closed.isNarrow) wide.push(closed);
    }
    const found = await Promise.all(wide.map(({ source }) => source.narrow?.()));
    for (const [i, closed] of wide.entries()) {
      this.#sources.splice(this.#sources.indexOf(closed, this.#next), 1);
      const firstNs = found[i];
      if (firstNs !== undefined) this.#insert({ source: closed.source, firstNs, isNarrow: true });
    }
  }

  #insert(closed: Closed): void {
    let low = this.#next;
    let high = this.#sources.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#before(closed.firstNs, (this.#sources[middle] as Closed).firstNs)) high = middle;
      else low = middle + 1;
    }
    this.#sources.splice(low, 0, closed);
  }

  #openAhead(lastNs: bigint): void {
    let ahead = 1;
    for (let at = this.#next; at < this.#sources.length && ahead < OPEN_AT_A_TIME; at++) {
      const closed = this.#sources[at] as Closed;
      if (this.#before(lastNs, closed.firstNs)) return;
      if (!closed.isNarrow || !closed.source.mayOpenAhead) continue;
      this.#opened(closed);
      ahead++;
    }
  }

  #opened(closed: Closed): OpenedLogSource {
    if (closed.opened) return closed.opened;
    const { source } = closed;
    const rest = source.open(this.#enough.signal);
    const first = rest.next();
    // Whoever asks for it is told; nobody else is.
    first.catch(() => {});
    closed.opened = { source, rest, first };
    return closed.opened;
  }
}
