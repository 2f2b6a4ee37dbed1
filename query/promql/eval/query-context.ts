import { CancelledError, LimitError, TimeoutError } from "@sightline/model/errors.ts";
import type { Queryable } from "@sightline/model/metric-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { nextTurn } from "../../http/next-turn.ts";
import type { QueryShare } from "../../http/query-memory.ts";
import type { Annotations } from "../annotations.ts";
import type { Expr } from "../ast.ts";
import { ForeseenWork, type WorkLimits } from "./foreseen-work.ts";
import type { Grid } from "./grid.ts";
import type { SampleStats } from "./sample-stats.ts";

/** Of time and value. */
const SAMPLE_BYTES = 16;
const CHARACTER_BYTES = 2;
const WORK_PER_LOOK = 50_000;
/** The event loop is given back after so long, well below the 50 ms that nothing may hold it. */
const MAX_TURN_MS = 15;

export type QueryContextOptions = {
  readonly queryable: Queryable;
  readonly tenant: TenantId;
  readonly signal: AbortSignal;
  readonly annotations: Annotations;
  readonly lookbackMs: number;
  readonly defaultStepMs: number;
  readonly maxSamples: number;
  readonly maxSubquerySteps: number;
  readonly maxLabelCharacters: number;
  readonly maxSubquerySamples: number;
  readonly maxSeriesOperations: number;
  /** Absent: only the limits of the query bound it. */
  readonly memory?: QueryShare | undefined;
  /** Of `performance.now()`. */
  readonly deadline: number;
  readonly timeoutMs: number;
  /** The name of a metric is dropped when the query is done, not at the operation that makes it meaningless. */
  readonly delayedNameRemoval: boolean;
};

/** What all parts of one evaluation share: where the data is, what may be used up, and what there is to say. */
export class QueryContext {
  readonly queryable: Queryable;
  readonly tenant: TenantId;
  readonly signal: AbortSignal;
  readonly annotations: Annotations;
  readonly lookbackMs: number;
  readonly defaultStepMs: number;
  readonly delayedNameRemoval: boolean;
  /** Samples read, once per step that looked at them. */
  samplesTotal = 0;
  /** Steps of the result that were not evaluated but kept from before. */
  cachedSteps = 0;
  samplesPeak = 0;
  /** Of what is being evaluated, when they were asked for. */
  sampleStats: SampleStats | undefined;
  selectMs = 0;
  /** Of what is being evaluated, when there may be too much of it. */
  foreseen: ForeseenWork | undefined;
  readonly #maxSamples: number;
  readonly #maxSubquerySteps: number;
  readonly #maxLabelCharacters: number;
  readonly #workLimits: WorkLimits;
  readonly #memory: QueryShare | undefined;
  readonly #deadline: number;
  readonly #timeoutMs: number;
  #held = 0;
  #labelCharacters = 0;
  #work = 0;
  #turnStart = performance.now();

  constructor(options: QueryContextOptions) {
    this.queryable = options.queryable;
    this.tenant = options.tenant;
    this.signal = options.signal;
    this.annotations = options.annotations;
    this.lookbackMs = options.lookbackMs;
    this.defaultStepMs = options.defaultStepMs;
    this.delayedNameRemoval = options.delayedNameRemoval;
    this.#maxSamples = options.maxSamples;
    this.#maxSubquerySteps = options.maxSubquerySteps;
    this.#maxLabelCharacters = options.maxLabelCharacters;
    this.#workLimits = {
      maxOperations: options.maxSeriesOperations,
      maxWindowSamples: options.maxSubquerySamples,
      maxSubquerySteps: options.maxSubquerySteps,
      defaultStepMs: options.defaultStepMs,
    };
    this.#memory = options.memory;
    this.#deadline = options.deadline;
    this.#timeoutMs = options.timeoutMs;
  }

  /** Accounts for samples kept in memory. Throws {@link LimitError} when there are too many, and as {@link QueryShare} does. */
  hold(samples: number): void {
    this.#held += samples;
    if (this.#held > this.samplesPeak) this.samplesPeak = this.#held;
    this.foresee(0);
    this.#memory?.hold(SAMPLE_BYTES * samples);
  }

  /** Throws {@link LimitError} when so many samples more than are held would be too many. */
  foresee(samples: number): void {
    if (this.#held + samples <= this.#maxSamples) return;
    throw new LimitError(
      `query processing would load too many samples into memory in query execution: more than query.max_samples (${this.#maxSamples}); select fewer series or a shorter range, or raise the setting`,
    );
  }

  /** Samples kept in memory now, as far as they are accounted for. */
  get held(): number {
    return this.#held;
  }

  /** What is kept now is known: what was held on the way to it is not any more. Throws as {@link hold} does. */
  settle(samples: number): void {
    this.release(this.#held);
    this.hold(samples);
  }

  release(samples: number): void {
    this.#held -= samples;
    this.#memory?.release(SAMPLE_BYTES * samples);
  }

  /** Accounts for text that becomes part of labels, best before it is made. Throws {@link LimitError}. */
  holdText(characters: number): void {
    this.#labelCharacters += characters;
    this.#memory?.hold(CHARACTER_BYTES * characters);
    if (this.#labelCharacters <= this.#maxLabelCharacters) return;
    throw new LimitError(
      `the query would write more than query.max_label_characters (${this.#maxLabelCharacters}) into labels; select fewer series or write shorter labels`,
    );
  }

  /** Looks at what a prepared expression will take, and watches what it takes if that may be too much. Throws {@link LimitError}. */
  foreseeWork(expr: Expr, grid: Grid): void {
    this.foreseen = ForeseenWork.of(expr, grid, this.#workLimits);
  }

  /** Refuses to make vectors of so many steps, which every operation goes through in one turn. Throws {@link LimitError}. */
  checkSubquerySteps(steps: number): void {
    if (steps <= this.#maxSubquerySteps) return;
    throw new LimitError(
      `a subquery of ${steps} steps would exceed query.max_subquery_steps (${this.#maxSubquerySteps}); use a longer step or a shorter range`,
    );
  }

  /** Refuses to make vectors of so many steps. Throws {@link LimitError}. */
  checkSteps(steps: number): void {
    if (steps <= this.#maxSamples) return;
    throw new LimitError(
      `a query of ${steps} steps would exceed query.max_samples (${this.#maxSamples}); use a longer step or a shorter range`,
    );
  }

  /**
   * {@link breathless}, for inner loops: `work` is about how many samples were looked at since it was last asked. Looks
   * at the clock only now and then.
   */
  tired(work: number): boolean {
    this.#work += work;
    if (this.#work < WORK_PER_LOOK) return false;
    this.#work = 0;
    return this.breathless;
  }

  /** Is it time to {@link breathe}? Cheap enough to ask once per series. */
  get breathless(): boolean {
    return performance.now() - this.#turnStart > MAX_TURN_MS;
  }

  /** Lets other work run, and stops the query when its client has gone or its time is up. */
  async breathe(): Promise<void> {
    await nextTurn();
    this.checkAlive();
    this.#turnStart = performance.now();
  }

  checkAlive(): void {
    if (this.signal.aborted)
      throw new CancelledError("query was canceled in expression evaluation", { cause: this.signal.reason });
    if (performance.now() > this.#deadline) {
      throw new TimeoutError(
        `query timed out in expression evaluation after ${this.#timeoutMs} ms (query.timeout_ms, or the timeout of the request)`,
      );
    }
  }
}
