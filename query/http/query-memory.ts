import { LimitError, UnavailableError } from "@sightline/model/errors.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";

const RETRY_AFTER_MS = 1_000;

/**
 * What the queries of a process hold at a time, by their own count, and the most they may together: `query.max_memory`. Each
 * has limits of its own as well, but many within these can be more than there is.
 */
export class QueryMemory {
  readonly maxBytes: number;
  /** No small integer from the beginning: V8 throws code away that was compiled for one when it becomes larger. */
  #bytes = -0;
  readonly memoryPart: MemoryPart = { name: "queries", memoryBytes: () => this.#bytes };

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** For one query. To be closed when it ends, however that is. */
  open(): QueryShare {
    return new QueryShare(this, (bytes) => {
      this.#bytes += bytes;
    });
  }
}

/** What one query holds. */
export class QueryShare {
  readonly #all: QueryMemory;
  readonly #add: (bytes: number) => void;
  #bytes = 0;

  constructor(all: QueryMemory, add: (bytes: number) => void) {
    this.#all = all;
    this.#add = add;
  }

  /**
   * Before so much more is taken. Throws `LimitError` when it is too much for one query, and `UnavailableError` when it
   * is for now, because of the others.
   */
  hold(bytes: number): void {
    this.#bytes += bytes;
    this.#add(bytes);
    const { maxBytes } = this.#all;
    if (this.#all.bytes <= maxBytes) return;
    if (this.#bytes > maxBytes) {
      throw new LimitError(
        `the query would hold more than ${maxBytes} bytes in memory (query.max_memory); select less, or raise the setting`,
      );
    }
    throw new UnavailableError(
      `all queries together would hold more than ${maxBytes} bytes in memory (query.max_memory): ask again when others are done`,
      { retryAfterMs: RETRY_AFTER_MS },
    );
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
    this.#add(-bytes);
  }

  close(): void {
    this.release(this.#bytes);
  }
}
