/** Running the template failed. The message is that of Go's text/template. */
export class TemplateExecutionError extends Error {
  override readonly name: string = "TemplateExecutionError";
}

/** The run would take more than its limits allow. */
export class TemplateLimitError extends TemplateExecutionError {
  override readonly name = "TemplateLimitError";
}

/** What one run may cost: a template can loop, call itself, and repeat texts. */
export type TemplateLimits = {
  readonly maxOutputCharacters: number;
  /** Nodes and calls. */
  readonly maxSteps: number;
  /** CPU time of the thread: one function may take as long as thousands of steps. Without it there is no limit. */
  readonly maxCpuMs?: number;
  /** Ends the messages about the output: ` (some.setting)`. */
  readonly setting?: string;
};

/** Texts on the way to the output may be so many times as long, together. */
const WORK_PER_OUTPUT = 16;
/** A look at the clock takes less than a microsecond. */
const STEPS_PER_LOOK = 16;
const CHARACTERS_PER_LOOK = 16_384;

/** Counts what one run of a template takes. All throw {@link TemplateLimitError}. */
export class TemplateBudget {
  readonly #limits: TemplateLimits;
  /** 0 without a limit: lines of logs have a run each. */
  readonly #beganCpuMs: number;
  #reserved = 0;
  #steps = 0;

  constructor(limits: TemplateLimits) {
    this.#limits = limits;
    this.#beganCpuMs = limits.maxCpuMs === undefined ? 0 : cpuMs();
  }

  step(): void {
    const { maxSteps } = this.#limits;
    if (++this.#steps > maxSteps) throw new TemplateLimitError(`the template takes more than ${maxSteps} steps`);
    if (this.#steps % STEPS_PER_LOOK === 0) this.#assertCpuTime();
  }

  reserve(characters: number): void {
    this.#reserved += characters;
    if (!(this.charactersLeft >= 0)) throw this.tooMuch();
    if (characters >= CHARACTERS_PER_LOOK) this.#assertCpuTime();
  }

  get charactersLeft(): number {
    return this.#limits.maxOutputCharacters * WORK_PER_OUTPUT - this.#reserved;
  }

  assertOutput(characters: number): void {
    if (characters > this.#limits.maxOutputCharacters) throw this.tooMuch();
  }

  tooMuch(): TemplateLimitError {
    const { maxOutputCharacters, setting = "" } = this.#limits;
    return new TemplateLimitError(`the template makes more than ${maxOutputCharacters} characters${setting}`);
  }

  #assertCpuTime(): void {
    const { maxCpuMs } = this.#limits;
    if (maxCpuMs === undefined || cpuMs() - this.#beganCpuMs <= maxCpuMs) return;
    throw new TemplateLimitError(`the template takes more than ${maxCpuMs} ms of CPU time`);
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
