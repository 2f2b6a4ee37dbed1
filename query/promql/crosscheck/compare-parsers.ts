import { ParseError } from "@sightline/model/errors.ts";
import { parsePromql } from "../parse/parse-promql.ts";
import knownDifferences from "./known-differences.json" with { type: "json" };
import { type SecondOpinion, secondOpinion } from "./second-opinion.ts";
import { shapeOfExpr } from "./shape-of-expr.ts";

/** Why the two parsers are known to differ on some kind of query, and which of them reads it as Prometheus does. */
export type KnownDifference = {
  readonly id: string;
  /** A regular expression that finds such queries. */
  readonly pattern: string;
  readonly flags: string;
  readonly examples: readonly string[];
  readonly right: "ours" | "theirs";
  readonly why: string;
};
export const KNOWN_DIFFERENCES: readonly KnownDifference[] = knownDifferences as KnownDifference[];

/** `shape` of both is in the words of `shape-of-expr.ts`. */
export type ParserComparison = {
  readonly agree: boolean;
  readonly ours:
    | { readonly accepted: true; readonly shape: string }
    | { readonly accepted: false; readonly error: string };
  readonly theirs: SecondOpinion;
  /** The entry of the table that explains the difference; undefined where they agree or nothing explains it. */
  readonly difference?: KnownDifference;
};

/** Parses `text` with both parsers. They agree when both refuse it, or both accept it and read the same from it. */
export function compareParsers(text: string): ParserComparison {
  const ours = ourOpinion(text);
  const theirs = secondOpinion(text);
  const agree = ours.accepted && theirs.accepted ? ours.shape === theirs.shape : ours.accepted === theirs.accepted;
  if (agree) return { agree, ours, theirs };
  const difference = KNOWN_DIFFERENCES.find(({ pattern, flags }) => new RegExp(pattern, flags).test(text));
  return { agree, ours, theirs, ...(difference && { difference }) };
}

function ourOpinion(text: string): ParserComparison["ours"] {
  try {
    return { accepted: true, shape: shapeOfExpr(parsePromql(text)) };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { accepted: false, error: error.message };
  }
}
