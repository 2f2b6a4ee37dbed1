import { list, repeat } from "./hostile-text.ts";

/** A GET below /api/v1 and what is said about it, with status 400 unless another is named. `ok`: it must be answered. */
export type BadRequest = readonly [path: string, error: RegExp | "ok", status?: number];

const RESOLUTION = /exceeded maximum resolution of 11,000 points per timeseries/;
const STEP = /zero or negative query resolution step widths are not accepted/;
const ORDER = /end timestamp must not be before start time/;
const UTF8 = /invalid UTF-8 rune/;
const UNDECODABLE = /the path is not percent-encoded UTF-8/;
const NOT_A_TIME = /cannot parse ".*" to a valid timestamp/;
const NOT_A_DURATION = /cannot parse ".*" to a valid duration/;
const NOT_A_NUMBER = /strconv\.Atoi: parsing/;
const NO_SELECTOR = /match\[\] must contain at least one non-empty matcher/;

const INSTANT: readonly BadRequest[] = [
  ["query", /no expression found in input/],
  ["query?query=1&query=2", "ok"],
  ["query?query=&query=2", /no expression found in input/],
  ["query?query=1&time=1&time=x", "ok"],
  ["query?query=up&time=NaN", NOT_A_TIME],
  ["query?query=up&time=Inf", "ok"],
  ["query?query=up&time=-1e18", "ok"],
  ["query?query=up&time=9223372036854775807", "ok"],
  ["query?query=up&time=292277025-08-18T07:12:54.999999999Z", "ok"],
  ["query?query=up&time=99999-01-01T00:00:00Z", NOT_A_TIME],
  ["query?query=up&time=2020-13-45T00:00:00Z", NOT_A_TIME],
  ["query?query=up&time=now", NOT_A_TIME],
  ["query?query=up&time=1e400", NOT_A_TIME],
  ["query?query=up&time=%FF", NOT_A_TIME],
  ["query?query=up&timeout=x", NOT_A_DURATION],
  ["query?query=up&timeout=-1s", /context deadline exceeded|cannot parse/],
  ["query?query=up&timeout=0", /context deadline exceeded/],
  ["query?query=up&timeout=NaN", NOT_A_DURATION],
  ["query?query=up&timeout=1e400", NOT_A_DURATION],
  ["query?query=up&timeout=99999999999999", NOT_A_DURATION],
  ["query?query=up&limit=-1", /limit must be non-negative/],
  ["query?query=up&limit=1.5", NOT_A_NUMBER],
  ["query?query=up&limit=99999999999999999999", /value out of range/],
  ["query?query=up&limit=0x10", NOT_A_NUMBER],
  ["query?query=up&lookback_delta=x", /error parsing lookback delta duration/],
  ["query?query=up&lookback_delta=-1", "ok"],
  ["query?query=up&lookback_delta=1e300", /error parsing lookback delta duration/],
  ["query?query=up&lookback_delta=100y", "ok"],
  ["query?query=up&stats=nonsense", "ok"],
  [`query?${list(5_000, (i) => `p${i}=1`, "&")}&query=1`, "ok"],
  [`query?query=1${repeat("&x=1", 20_000)}`, "ok"],
  [`query?query=${repeat("a", 100_000)}`, "ok"],
];

const RANGES: readonly BadRequest[] = [
  ["query_range?query=up", NOT_A_TIME],
  ["query_range?query=up&start=0&end=10", NOT_A_DURATION],
  ["query_range?query=up&start=0&end=10&step=0", STEP],
  ["query_range?query=up&start=0&end=10&step=-1", STEP],
  ["query_range?query=up&start=0&end=10&step=NaN", NOT_A_DURATION],
  ["query_range?query=up&start=0&end=10&step=Inf", NOT_A_DURATION],
  ["query_range?query=up&start=0&end=10&step=1e300", NOT_A_DURATION],
  ["query_range?query=up&start=0&end=10&step=1e-300", STEP],
  ["query_range?query=up&start=0&end=10&step=1ns", NOT_A_DURATION],
  ["query_range?query=up&start=0&end=10&step=300y", NOT_A_DURATION],
  ["query_range?query=up&start=0&end=1e9&step=1", RESOLUTION],
  ["query_range?query=up&start=0&end=1e300&step=1", RESOLUTION],
  ["query_range?query=up&start=-1e300&end=1e300&step=1", RESOLUTION],
  ["query_range?query=up&start=-9e12&end=9e12&step=1e9", RESOLUTION],
  ["query_range?query=up&start=0&end=11000&step=1", "ok"],
  ["query_range?query=up&start=0&end=11001&step=1", RESOLUTION],
  ["query_range?query=up&start=10&end=0&step=1", ORDER],
  ["query_range?query=up&start=NaN&end=0&step=1", NOT_A_TIME],
  ["query_range?query=up&start=0&end=NaN&step=1", NOT_A_TIME],
  ["query_range?query=up&start=a&end=b&step=c", NOT_A_TIME],
  ["query_range?query=%22a%22&start=0&end=1&step=1", /invalid expression type \\?"string\\?" for range query/],
  ["query_range?query=up[5m]&start=0&end=1&step=1", /invalid expression type \\?"range vector\\?" for range query/],
  ["query_range?query=up&start=0&end=1&step=1&limit=-1", /limit must be non-negative/],
];

const BROKEN_TEXT: readonly BadRequest[] = [
  ["query?query=%FF", /unexpected character/],
  ["query?query=up%FF", /unexpected character/],
  ["query?query=up{a=%22%FF%22}", UTF8],
  ["query?query=up{a=~%22%FF%22}", UTF8],
  ["query?query={%22%FF%22}", UTF8],
  ["query?query=up{%22%FF%22=%22a%22}", UTF8],
  ["query?query=%60%FF%60", UTF8],
  ["query?query=up{a=%22%C3%28%22}", UTF8],
  ["query?query=up{a=%22%ED%A0%80%22}", UTF8],
  ["query?query=up{a=%22%F4%90%80%80%22}", UTF8],
  ["query?query=up{a=%22%C0%80%22}", UTF8],
  ["query?query=%zz", /no expression found in input/],
  ["query?%FF=1&query=1", "ok"],
  ["format_query?query=%22%FF%22", UTF8],
  ["parse_query?query=%22%FF%22", UTF8],
  ["format_query", /no expression found in input/],
  ["parse_query?query=", /no expression found in input/],
  ["series?match[]=%FF", /parse error/],
  ["series?match[]={a=%22%FF%22}", UTF8],
  ["labels?match[]={a=%22%FF%22}", UTF8],
  ["label/%FF/values", UNDECODABLE],
  ["label/%C3%28/values", UNDECODABLE],
  ["label/%zz/values", UNDECODABLE],
  ["label/%/values", UNDECODABLE],
  ["label//values", /invalid label name: ""/],
  ["label/a%00b/values", "ok"],
  ["label/U__ZZ_/values", "ok"],
  ["label/U__D800_/values", "ok"],
  [`label/${repeat("a", 7_000)}/values`, "ok"],
  [`label/${repeat("a", 100_000)}/values`, /a part of the path is too long/],
  ["query_exemplars?query=%FF&start=0&end=1", /unexpected character/],
];

const METADATA: readonly BadRequest[] = [
  ["series", /no match\[\] parameter provided/],
  ["series?match[]=", /parse error: unexpected end of input/],
  ["series?match[]={}", NO_SELECTOR],
  ["series?match[]={a=~%22.*%22}", NO_SELECTOR],
  ["series?match[]=up[5m]", /parse error: unexpected "\["/],
  ["series?match[]=rate(up[5m])", /parse error: unexpected "\("/],
  ["series?match[]=up%20or%20up", /parse error: unexpected <op:or>/],
  ["series?match[]={a=~%22(%22}", /error parsing regexp: missing closing \)/],
  ["series?match[]=up&start=x", NOT_A_TIME],
  ["series?match[]=up&start=10&end=0", "ok"],
  ["series?match[]=up&limit=x", NOT_A_NUMBER],
  ["labels?limit=-1", /limit must be non-negative/],
  ["labels?limit=1e3", NOT_A_NUMBER],
  ["labels?match[]={}", NO_SELECTOR],
  ["label/__name__/values?match[]={", /parse error: unexpected end of input inside braces/],
  ["label/__name__/values?limit=-5", /limit must be non-negative/],
  ["label/__name__/values?start=a", NOT_A_TIME],
  ["query_exemplars?query=sum(&start=0&end=1", /unclosed left parenthesis/],
  ["query_exemplars?query=up&start=5&end=1", /end timestamp must not be before start timestamp/],
  ["metadata?limit=x", /limit must be a number/],
  ["metadata?limit_per_metric=x", /limit_per_metric must be a number/],
  ["targets/metadata?match_target=up[5m]", /parse error/],
  ["status/tsdb?limit=x", /limit must be a positive number/],
  ["status/tsdb?limit=-1", /limit must be a positive number/],
  ["search/metric_names?limit=1000000000", /query\.search\.max_limit|limit/],
  ["search/metric_names?limit=x", /limit/],
  ["search/label_values", /missing required parameter \\?"label\\?"/],
  [`series?${list(10_000, (i) => `match[]=big{i="${i}"}`, "&")}`, "ok"],
  [
    `series?${list(10_000, (i) => `match[]={a=~".x${i}y"}`, "&")}`,
    /the regular expressions have more than 10240 characters/,
  ],
  [`labels?${list(10_000, () => "match[]=big", "&")}`, "ok"],
];

export const BAD_REQUESTS: readonly BadRequest[] = [...INSTANT, ...RANGES, ...BROKEN_TEXT, ...METADATA];
