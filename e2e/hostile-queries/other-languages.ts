import { list, nest, repeat } from "./hostile-text.ts";

/** A LogQL query and what is said about it, with status 400. `ok`: it must be answered; `any`: it may be. */
export type BadLogQuery = readonly [name: string, query: string, error: RegExp | "ok" | "any"];

export const BAD_LOGQL: readonly BadLogQuery[] = [
  ["nothing", "", /./],
  ["no stream selector", "|= `x`", /./],
  ["everything", "{}", /./],
  ["all streams by an expression", '{app=~".*"}', /./],
  ["10,000 parentheses", nest("(", "1", ")", 10_000), /./],
  ["10,000 sums", nest("sum(", 'rate({app="a"}[1m])', ")", 10_000), /./],
  ["100,000 operands", `1${repeat("+1", 100_000)}`, /./],
  ["10,000 line filters", `{app="a"}${repeat(' |= "x"', 10_000)}`, "any"],
  ["10,000 parsers", `{app="a"}${repeat(" | json", 10_000)}`, "any"],
  ["(a+)+$", '{app="a"} |~ "(a+)+$"', "ok"],
  ["a{1000}{1000}", '{app="a"} |~ "a{1000}{1000}"', /./],
  ["10,000 groups", `{app="a"} |~ "${nest("(", "a", ")", 10_000)}"`, /./],
  ["20,000 alternatives anywhere", `{app="a"} |~ ".*(${list(20_000, (i) => `v${i}`, "|")}).*"`, /./],
  ["1,000 expressions", `{app="a"${list(1_000, (i) => `,l${i}=~"(a|b)*${i}"`, "")}}`, "any"],
  ["a string that stays open", '{app="a', /./],
  ["a brace that stays open", '{app="a"', /./],
  ["bad UTF-8", '{app="\ufffd"} |= "\ufffd"', "ok"],
  ["a byte of zero", '{app="a"} |= "\u0000"', "ok"],
  ["a range of a million years", 'rate({app="a"}[1000000y])', /./],
  ["a negative range", 'rate({app="a"}[-1m])', /./],
  ["no range", 'rate({app="a"}[0s])', "any"],
  ["PromQL", "rate(up[5m])", /./],
  ["200 kB", `{app="${repeat("x", 200_000)}"}`, /max_query_bytes/],
];

/** A GET below /loki/api/v1 and the text of its refusal, with status 400. */
export const BAD_LOG_REQUESTS: readonly (readonly [path: string, error: RegExp | "ok"])[] = [
  ['query_range?query={app="a"}&limit=-1', /limit/],
  ['query_range?query={app="a"}&limit=1e9', /Atoi/],
  ['query_range?query={app="a"}&limit=1000000000', /query\.logs\.max_limit/],
  ['query_range?query={app="a"}&start=x', /./],
  ['query_range?query={app="a"}&start=10&end=0', /./],
  ['query_range?query=rate({app="a"}[1m])&start=0&end=1000000000&step=1', /exceeded maximum resolution/],
  ['query_range?query=rate({app="a"}[1m])&step=0', /./],
  ['query_range?query=rate({app="a"}[1m])&step=-1', /./],
  ['query_range?query=rate({app="a"}[1m])&step=NaN', /./],
  ['query_range?query={app="a"}&direction=sideways', /./],
  ["label/%FF/values", /./],
];

/** A GET for a trace and the status of the refusal. */
export const BAD_TRACE_REQUESTS: readonly (readonly [path: string, status: number])[] = [
  ["/api/traces/zz", 400],
  ["/api/traces/%FF", 400],
  [`/api/traces/${repeat("a", 33)}`, 400],
  [`/api/traces/${repeat("a", 5_000)}`, 400],
  ["/tempo/api/v2/traces/-1", 400],
  ["/tempo/api/v2/traces/0", 404],
  ["/jaeger/api/traces/zz", 400],
  ["/jaeger/api/traces/%00", 400],
  ["/jaeger/api/services/%FF/operations", 400],
  ["/jaeger/api/operations", 400],
];
