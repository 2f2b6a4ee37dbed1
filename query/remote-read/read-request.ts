import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Matcher, MatchOperator } from "@sightline/model/matcher.ts";
import type { SelectHints } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { ProtobufReader } from "../protobuf/protobuf-reader.ts";

/** prometheus.ReadRequest of Prometheus' prompb/remote.proto. */
export type ReadRequest = {
  readonly queries: readonly ReadQuery[];
  readonly acceptedTypes: readonly number[];
};
export type ReadQuery = {
  readonly range: TimeRange;
  readonly matchers: readonly Matcher[];
  readonly hints: SelectHints;
};
export type ResponseType = "samples" | "chunks";

const OPERATORS: readonly MatchOperator[] = ["=", "!=", "=~", "!~"];
const RESPONSE_TYPES: readonly ResponseType[] = ["samples", "chunks"];
const MAX_QUERIES = 1_000;
const MAX_MATCHERS = 1_000;

/** Throws {@link InvalidInputError}. */
export function decodeReadRequest(bytes: Uint8Array): ReadRequest {
  const queries: ReadQuery[] = [];
  const acceptedTypes: number[] = [];
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) queries.push(decodeQuery(reader.message()));
    else if (reader.field === 2) acceptedTypes.push(...reader.ints());
    else reader.skip();
    if (queries.length > MAX_QUERIES) throw new InvalidInputError(`more than ${MAX_QUERIES} queries in one request`);
  }
  return { queries, acceptedTypes };
}

/** The first of the accepted types that there is; samples when the client names none (NegotiateResponseType). */
export function negotiateResponseType(accepted: readonly number[]): ResponseType {
  if (accepted.length === 0) return "samples";
  for (const type of accepted) {
    const known = RESPONSE_TYPES[type];
    if (known) return known;
  }
  throw new InvalidInputError(
    `server does not support any of the requested response types: [${accepted.join(" ")}]; supported: SAMPLES, STREAMED_XOR_CHUNKS`,
  );
}

function decodeQuery(reader: ProtobufReader): ReadQuery {
  let startMs = 0;
  let endMs = 0;
  let hints: SelectHints = { stepMs: 0, func: "", rangeMs: 0 };
  const matchers: Matcher[] = [];
  while (reader.next()) {
    if (reader.field === 1) startMs = clamped(reader.int());
    else if (reader.field === 2) endMs = clamped(reader.int());
    else if (reader.field === 3) matchers.push(decodeMatcher(reader.message()));
    else if (reader.field === 4) hints = decodeHints(reader.message());
    else reader.skip();
    if (matchers.length > MAX_MATCHERS) throw new InvalidInputError(`more than ${MAX_MATCHERS} matchers in one query`);
  }
  return { range: { startMs, endMs }, matchers, hints };
}

function decodeMatcher(reader: ProtobufReader): Matcher {
  let type = 0;
  let name = "";
  let value = "";
  while (reader.next()) {
    if (reader.field === 1) type = reader.int();
    else if (reader.field === 2) name = reader.string();
    else if (reader.field === 3) value = reader.string();
    else reader.skip();
  }
  const op = OPERATORS[type];
  if (!op) throw new InvalidInputError("invalid matcher type");
  return { name, op, value };
}

function decodeHints(reader: ProtobufReader): SelectHints {
  let [stepMs, func, rangeMs] = [0, "", 0];
  while (reader.next()) {
    if (reader.field === 1) stepMs = reader.int();
    else if (reader.field === 2) func = reader.string();
    else if (reader.field === 7) rangeMs = reader.int();
    else reader.skip();
  }
  return { stepMs, func, rangeMs };
}

/** Clients say "since ever" with the ends of int64, which a number does not count exactly. */
function clamped(timeMs: number): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, timeMs));
}
