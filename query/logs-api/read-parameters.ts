import { InvalidInputError } from "@sightline/model/errors.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import { parseGoInt } from "../http/go-syntax.ts";
import type { RequestParameters } from "../http/request-parameters.ts";
import type { LogExpr } from "../logql/ast.ts";
import { parseLogql } from "../logql/parse/parse-logql.ts";
import { readRange } from "../loki-api/parameters.ts";

/** `start`, `end`, `since`, as in Loki's API: the last hour when they are missing. Throws `InvalidInputError`. */
export function readOrderedRange(parameters: RequestParameters, nowMs: number): TimeRangeNs {
  const range = readRange(parameters, nowMs);
  if (range.endNs <= range.startNs) throw new InvalidInputError('"end" must be after "start"');
  return range;
}

/** A log query, stages included. Throws in Loki's words, and `InvalidInputError` for a metric query. */
export function parseLogQuery(text: string, maxQueryBytes: number): LogExpr {
  const expr = parseLogql(text, maxQueryBytes);
  if (expr.kind !== "log") throw new InvalidInputError('"query" must select log lines, and is a metric query');
  return expr;
}

/** A whole number of at least 0. Throws `InvalidInputError` beyond `max`. */
export function readCount(parameters: RequestParameters, name: string, otherwise: number, max: number): number {
  const text = parameters.get(name);
  if (text === "") return Math.min(otherwise, max);
  const count = parseGoInt(text);
  if (count === undefined || count < 0n || count > BigInt(max)) {
    throw new InvalidInputError(
      `${JSON.stringify(name)} must be a whole number of 0 to ${max}, not ${JSON.stringify(text)}`,
    );
  }
  return Number(count);
}
