import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { parseGoBool, parseGoInt } from "../http/go-syntax.ts";
import type { RequestParameters } from "../http/request-parameters.ts";
import { parseMatcherSets } from "../prometheus-api/matcher-sets.ts";
import { timeOrDefaultMs } from "../prometheus-api/parameters.ts";

const FUZZ_ALGORITHMS = ["subsequence", "jarowinkler"] as const;
const DEFAULT_RANGE_MS = 3_600_000;
const DEFAULT_LIMIT = 100;
const DEFAULT_BATCH = 100;
/** Every term costs its time for every value. */
const MAX_TERMS = 32;

export type SearchParameters = {
  readonly range: TimeRange;
  readonly matcherSets: readonly (readonly Matcher[])[];
  readonly terms: readonly string[];
  /** 0 to 100. */
  readonly fuzzThreshold: number;
  readonly fuzzAlgorithm: (typeof FUZZ_ALGORITHMS)[number];
  readonly caseSensitive: boolean;
  readonly includeScore: boolean;
  readonly order: "ascending" | "descending" | "score";
  readonly limit: number;
  readonly batchSize: number;
};

/**
 * Reads what all search endpoints take, checked in the order of Prometheus' web/api/v1/search.go and refused in its words.
 * `endpoint` is its name for the one error that has it.
 */
export function searchParameters(
  parameters: RequestParameters,
  options: { readonly nowMs: number; readonly maxLimit: number; readonly endpoint: string },
): SearchParameters {
  const startMs = timeOrDefaultMs(parameters, "start", options.nowMs - DEFAULT_RANGE_MS);
  const endMs = timeOrDefaultMs(parameters, "end", options.nowMs);
  if (endMs < startMs) throw new InvalidInputError("end timestamp must not be before start timestamp");
  const matcherSets = parseMatcherSets(parameters.all("match[]"));
  const terms = parameters.all("search[]");
  if (terms.length > MAX_TERMS) {
    throw new InvalidInputError(`too many search[] terms: got ${terms.length}, maximum is ${MAX_TERMS}`);
  }
  const fuzzThreshold = integer(parameters, "fuzz_threshold", 0, (value) => value >= 0n && value <= 100n, "0-100");
  const fuzzAlgorithm = algorithm(parameters.get("fuzz_alg"));
  const caseSensitive = booleanParameter(parameters, "case_sensitive", true);
  const includeScore = booleanParameter(parameters, "include_score", false);
  const order = orderOf(parameters, terms, options.endpoint);
  const isPositive = (value: bigint) => value > 0n;
  const defaultLimit = Math.min(DEFAULT_LIMIT, options.maxLimit);
  const limit = integer(parameters, "limit", defaultLimit, isPositive, "a positive integer");
  if (limit > options.maxLimit) {
    const setting = `(${options.maxLimit}, see query.search.max_limit)`;
    throw new InvalidInputError(`limit ${limit} exceeds the configured maximum ${setting}`);
  }
  const batchSize = integer(parameters, "batch_size", DEFAULT_BATCH, isPositive, "a positive integer");
  const range = { startMs, endMs };
  return {
    range,
    matcherSets,
    terms,
    fuzzThreshold,
    fuzzAlgorithm,
    caseSensitive,
    includeScore,
    order,
    limit,
    batchSize,
  };
}

export function booleanParameter(parameters: RequestParameters, name: string, defaultValue: boolean): boolean {
  const text = parameters.get(name);
  if (text === "") return defaultValue;
  const value = parseGoBool(text);
  if (value === undefined) throw new InvalidInputError(`invalid ${name} ${JSON.stringify(text)}: must be boolean`);
  return value;
}

function integer(
  parameters: RequestParameters,
  name: string,
  defaultValue: number,
  isAllowed: (value: bigint) => boolean,
  allowed: string,
): number {
  const text = parameters.get(name);
  if (text === "") return defaultValue;
  const value = parseGoInt(text);
  if (value !== undefined && isAllowed(value)) return Number(value);
  throw new InvalidInputError(`invalid ${name} ${JSON.stringify(text)}: must be ${allowed}`);
}

function algorithm(text: string): SearchParameters["fuzzAlgorithm"] {
  if (text === "") return FUZZ_ALGORITHMS[0];
  const known = FUZZ_ALGORITHMS.find((name) => name === text);
  if (known) return known;
  const all = FUZZ_ALGORITHMS.join(" ");
  throw new InvalidInputError(`unsupported fuzz_alg ${JSON.stringify(text)}: must be one of [${all}]`);
}

function orderOf(parameters: RequestParameters, terms: readonly string[], endpoint: string): SearchParameters["order"] {
  const by = parameters.get("sort_by");
  const direction = parameters.get("sort_dir");
  if (direction !== "" && by === "") throw new InvalidInputError("sort_dir is only valid when sort_by is set");
  if (direction !== "" && by === "score") throw new InvalidInputError("sort_dir is not supported for sort_by=score");
  if (!["", "asc", "dsc"].includes(direction)) {
    throw new InvalidInputError(`invalid sort_dir ${JSON.stringify(direction)}: must be "asc" or "dsc"`);
  }
  if (by === "score" && terms.length === 0) throw new InvalidInputError("sort_by=score requires search[] to be set");
  if (!["", "alpha", "score"].includes(by)) {
    throw new InvalidInputError(`invalid sort_by ${JSON.stringify(by)} for ${endpoint}: must be "alpha" or "score"`);
  }
  if (by === "score") return "score";
  return direction === "dsc" ? "descending" : "ascending";
}
