import { FORM, type HttpCase, search } from "./http-request.ts";

const PATH = "/loki/api/v1/delete";
/** Of which there is nothing, so that other cases see what they saw. */
const NONE = '{app="none"}';
const LATELY = { query: NONE, start: "$START_S", end: "$END_S" };

const make = (parameters: Readonly<Record<string, string>>, method = "POST"): HttpCase => ({
  path: PATH,
  search: search(parameters),
  method,
});

const TIMES = [
  "",
  "0",
  "1",
  "x",
  "$START",
  "$START_MS",
  "$START_S",
  "$START_F",
  "$START_RFC",
  "2023-01-02",
  "999999999",
  "-999999999",
];
const INTERVALS = ["1s", "1m", "10m", "1h", "25h", "1ms", "0", "-1m", "x", "60", "1d"];

/**
 * Requests to delete lines, as they may be and as they may not; those that are made are listed in between. Not `{}`: Loki takes it,
 * and answers no query of its range from then on.
 */
export const DELETIONS: readonly HttpCase[] = [
  { path: PATH },
  make({}),
  make({ query: NONE }),
  make({ start: "$START_S" }),
  make({ query: "", start: "$START_S" }),
  ...["{", "none", `${NONE} |`, `${NONE} | json |`, `rate(${NONE}[1m])`].map((query) => make({ ...LATELY, query })),
  ...[NONE, `${NONE} |= "a"`, `${NONE} |~ "a.b" != "c"`, `${NONE} | user="ann"`, '{app=~"none.*"}'].map((query) =>
    make({ ...LATELY, query }),
  ),
  ...TIMES.map((start) => make({ ...LATELY, start })),
  ...TIMES.filter((time) => time !== "").map((end) => make({ ...LATELY, end })),
  make({ ...LATELY, start: "$END_S", end: "$START_S" }),
  make({ ...LATELY, end: "1999999999" }),
  make(LATELY, "PUT"),
  make(LATELY, "PATCH"),
  ...INTERVALS.map((max_interval) => make({ ...LATELY, query: `${NONE} |= "a"`, max_interval })),
  ...INTERVALS.map((max_interval) => make({ ...LATELY, max_interval })),
  { path: PATH },
  { path: PATH, method: "POST", headers: FORM, body: search(LATELY) },
  make({ request_id: "none" }, "DELETE"),
  make({ request_id: "none", force: "true" }, "DELETE"),
  make({}, "DELETE"),
];
