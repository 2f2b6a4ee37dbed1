/**
 * Takes all steps at once. Decoders of what can be large are generators that yield every few hundred items, so that
 * their caller can let other work go first; what they return does not depend on when the steps are taken.
 */
export function runSteps<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
