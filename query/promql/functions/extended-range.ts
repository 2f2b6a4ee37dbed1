/** Functions that may be used with ranges that reach beyond their bounds, sorted. */
export const ANCHORED_FUNCTIONS: readonly string[] = ["changes", "delta", "increase", "rate", "resets"];
export const SMOOTHED_FUNCTIONS: readonly string[] = ["delta", "increase", "rate"];
