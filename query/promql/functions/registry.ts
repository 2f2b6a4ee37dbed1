import type { RangeFunction } from "../eval/range-function.ts";
import { CHANGE_FUNCTIONS } from "./changes.ts";
import { HISTOGRAM_FUNCTIONS } from "./histogram-functions.ts";
import { QUANTILE_FUNCTIONS } from "./histogram-quantile.ts";
import { INSTANT_RATE_FUNCTIONS } from "./instant-rate.ts";
import { LABEL_FUNCTIONS } from "./label-functions.ts";
import { MATH_FUNCTIONS } from "./math.ts";
import { OVER_TIME_FUNCTIONS } from "./over-time.ts";
import { RATE_FUNCTIONS } from "./rate.ts";
import { REGRESSION_FUNCTIONS } from "./regression.ts";
import { CONVERSION_FUNCTIONS } from "./scalars-and-vectors.ts";
import { SORT_FUNCTIONS } from "./sort.ts";
import { TIME_FUNCTIONS } from "./time.ts";
import type { VectorFunction } from "./vector-function.ts";

/** Functions of a range vector. */
export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map([
  ...OVER_TIME_FUNCTIONS,
  ...RATE_FUNCTIONS,
  ...INSTANT_RATE_FUNCTIONS,
  ...REGRESSION_FUNCTIONS,
  ...CHANGE_FUNCTIONS,
]);

/** Functions of instant vectors, scalars and strings. Those that need more than their arguments are in the evaluator. */
export const VECTOR_FUNCTIONS: ReadonlyMap<string, VectorFunction> = new Map([
  ...MATH_FUNCTIONS,
  ...TIME_FUNCTIONS,
  ...CONVERSION_FUNCTIONS,
  ...LABEL_FUNCTIONS,
  ...SORT_FUNCTIONS,
  ...HISTOGRAM_FUNCTIONS,
  ...QUANTILE_FUNCTIONS,
]);
