import {
  type App,
  DURATIONS,
  ENVIRONMENTS,
  IPS,
  METHODS,
  NUMBERS,
  REGIONS,
  SIZES,
  STATUSES,
  WORDS,
} from "./random-records.ts";

/** Names that lines of an app, its labels and its metadata have, with values they take. */
export type Names = Readonly<Record<string, readonly string[]>>;

const LEVEL_NAMES = ["info", "WARN", "Error", "debug", "warn", "error", "unknown", "critical"];
const COMMON: Names = {
  app: ["json", "logfmt", "from the line"],
  env: [...ENVIRONMENTS, "from metadata"],
  region: REGIONS,
  level: LEVEL_NAMES,
  detected_level: LEVEL_NAMES,
  trace_id: ["00000000000000000000000000abc001"],
  user_id: ["u-1", "u-2", "3"],
  ratio: ["1.5", "2"],
  service_name: ["json", "text"],
  odd_name: ["dotted"],
  __error__: ["", "JSONParserErr", "LogfmtParserErr", "LabelFilterErr"],
  nope: ["", "x"],
};
const PARSED: Names = {
  method: [...METHODS, "MD", "again"],
  status: STATUSES,
  took: DURATIONS,
  size: SIZES,
  n: NUMBERS,
  ip: IPS,
  msg: WORDS,
  method_extracted: METHODS,
  env_extracted: ENVIRONMENTS,
  took_extracted: DURATIONS,
  lvl: LEVEL_NAMES,
  a_b: ["dotted", "dashed"],
};
const OF_APP: Readonly<Record<App, Names>> = {
  json: {
    ...PARSED,
    user_name: WORDS,
    user_addr_city: ["Köln"],
    user_id_extracted: ["1", "2"],
    esc: ["x"],
    _1st: ["digit"],
  },
  logfmt: { ...PARSED, seq: ["1", "100"], empty: [""], flag: [""], esc: ["x"], _1st: ["digit"] },
  access: {
    ip: IPS,
    method: METHODS,
    status: STATUSES,
    bytes: ["111", "1110"],
    user: ["ann", "bob", "-"],
    agent: ["curl/8.1"],
  },
  text: { a: ["1"], note: WORDS, word: WORDS, num: ["1", "2"] },
  packed: {
    pod: ["p-0", "p-1", "x"],
    zone: WORDS,
    n: ["1"],
    value: ["5"],
    app_extracted: ["packed over"],
    inner: ["json"],
  },
  numbers: { total: ["7", "70"], temp: ["0", "-5"], odd: NUMBERS, took: DURATIONS, size: SIZES, k: ["a", "b"] },
  equal: { level: LEVEL_NAMES, num: ["1"] },
};
/** Names whose values are numbers, durations or sizes more often than not. */
export const MEASURES: Readonly<Record<App, readonly string[]>> = {
  json: ["status", "took", "size", "n", "ratio", "user_id_extracted"],
  logfmt: ["status", "took", "size", "n", "seq", "ratio"],
  access: ["status", "bytes", "ratio"],
  text: ["a", "num", "ratio"],
  packed: ["n", "value", "ratio"],
  numbers: ["total", "temp", "odd", "took", "size"],
  equal: ["num", "ratio"],
};

export function namesOf(app: App): Names {
  return { ...COMMON, ...OF_APP[app] };
}
