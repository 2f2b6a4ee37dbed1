/**
 * Work that takes long, in pieces of a few milliseconds: whoever drives it may do something else after each. A promise is for
 * what the next piece would like to know; it never rejects, and who can't wait for it goes on at once.
 */
export type Steps<T> = Generator<Promise<void> | undefined, T, undefined>;

export type FinishedOrWaiting<T> =
  | { readonly done: true; readonly value: T }
  | { readonly done: false; readonly until: Promise<void> };

/** Of a batch that are looked at in one piece. */
const ROWS_PER_STEP = 256;

/** Whether a piece ends with this row. */
export function endsStep(row: number): boolean {
  return row % ROWS_PER_STEP === ROWS_PER_STEP - 1;
}

/** All of it now, unless there is something to wait for: then the rest is still to be done. */
export function finishOrWait<T>(steps: Steps<T>): FinishedOrWaiting<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return { done: true, value: step.value };
    if (step.value) return { done: false, until: step.value };
  }
}

/** All of it, now. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** For what may have been done already. */
export function* stepsOf<T extends object | undefined>(work: T | Steps<T>): Steps<T> {
  return isSteps(work) ? yield* work : work;
}

export function* mapInSteps<T>(values: readonly T[], map: (value: T) => T): Steps<T[]> {
  const mapped: T[] = [];
  for (const [i, value] of values.entries()) {
    mapped.push(map(value));
    if (endsStep(i)) yield;
  }
  return mapped;
}

function isSteps<T extends object | undefined>(work: T | Steps<T>): work is Steps<T> {
  return work !== undefined && "next" in work;
}
