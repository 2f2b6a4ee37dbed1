import { invalid } from "../../metrics/rejection-log.ts";

export const NO_TIME = invalid("no-time", "a data point without time_unix_nano: set it to when the value was observed");
export const NO_VALUE = invalid("no-value", "a data point without a value: set as_double or as_int");
