/** The functions of PromQL by what they take, so that random calls have the right types. */
export const OF_VECTOR: readonly string[] = (
  "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh sort sort_desc " +
  "sqrt tan tanh timestamp start_timestamp"
).split(" ");
export const OF_TIMES: readonly string[] =
  "days_in_month day_of_month day_of_week day_of_year hour minute month year".split(" ");
export const OF_HISTOGRAMS: readonly string[] =
  "histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar".split(" ");
export const OF_COUNTER_RANGES: readonly string[] = ["rate", "rate", "increase", "irate", "resets"];
export const OF_RANGES: readonly string[] = (
  "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time max_over_time " +
  "min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time first_over_time mad_over_time " +
  "ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time"
).split(" ");
export const AGGREGATORS: readonly string[] =
  "sum sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio".split(" ");
export const ARITHMETIC: readonly string[] = ["+", "-", "*", "/", "%", "^", "atan2"];
export const COMPARISONS: readonly string[] = ["==", "!=", ">", "<", ">=", "<="];
export const SET_OPERATORS: readonly string[] = ["and", "or", "unless"];
export const TRIMS: readonly string[] = ["</", ">/"];
