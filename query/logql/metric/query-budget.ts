import { LimitError } from "@sightline/model/errors.ts";
import type { LogQueryLimits } from "../../config.ts";
import type { QueryShare } from "../../http/query-memory.ts";
import { Turn } from "../../http/turn.ts";

/** Of time and value. */
const SAMPLE_BYTES = 16;
/** Points that are computed before others get a turn. */
const POINTS_PER_TURN = 20_000;

/** What one query may hold and look at, and when it lets others work. */
export class QueryBudget {
  readonly limits: LogQueryLimits;
  readonly #signal: AbortSignal;
  readonly #memory: QueryShare | undefined;
  readonly #turn = new Turn();
  #samples = 0;
  #rows = 0;
  #points = 0;

  /** Without `memory` only the limits bound it. */
  constructor(limits: LogQueryLimits, signal: AbortSignal, memory?: QueryShare) {
    this.limits = limits;
    this.#signal = signal;
    this.#memory = memory;
  }

  /** For samples and points that will be in memory at the same time. Throws `LimitError`, and as {@link QueryShare} does. */
  hold(samples: number): void {
    this.#samples += samples;
    const { max_samples } = this.limits;
    if (this.#samples > max_samples) {
      throw new LimitError(
        `the query holds more than ${max_samples} samples in memory (query.logs.max_samples); ask for less time, a larger step, or fewer series`,
      );
    }
    this.#memory?.hold(SAMPLE_BYTES * samples);
  }

  release(samples: number): void {
    this.#samples -= samples;
    this.#memory?.release(SAMPLE_BYTES * samples);
  }

  /** For records that are looked at. Throws `LimitError`. */
  look(rows: number): void {
    this.#rows += rows;
    const { max_scanned_rows } = this.limits;
    if (this.#rows <= max_scanned_rows) return;
    throw new LimitError(
      `the query looked at more than ${max_scanned_rows} log records (query.logs.max_scanned_rows); ask for less time or more exact labels`,
    );
  }

  /** After so many computed points: others may have their turn. Throws the signal's reason once it aborts. */
  async worked(points: number): Promise<void> {
    this.#points += points;
    if (this.#points >= POINTS_PER_TURN) {
      this.#points = 0;
      await this.rest();
    }
  }

  /** The turn has lasted long enough. */
  get isTired(): boolean {
    return this.#turn.isOver;
  }

  async rest(): Promise<void> {
    this.#signal.throwIfAborted();
    await this.#turn.rest();
  }
}
