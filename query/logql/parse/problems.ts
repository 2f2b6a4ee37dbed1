import { ParseError } from "@sightline/model/errors.ts";

/** A place in a query: where it is, and how Loki's scanner would give it. */
export type Place = {
  readonly start: number;
  readonly end: number;
  /** Loki's scanner forgets the line (says 0) once it has read a token in several steps. */
  readonly lineForgotten?: boolean;
};

/** A parse error in Loki's words (logqlmodel.ParseError), with line and column counted in characters from 1. */
export function parseErrorAt(text: string, place: Place, problem: string, cause?: unknown): ParseError {
  const before = text.slice(0, place.start);
  const lineStart = before.lastIndexOf("\n") + 1;
  const column = [...before.slice(lineStart)].length + 1;
  const line = place.lineForgotten ? 0 : before.split("\n").length;
  return new ParseError(`parse error at line ${line}, col ${column}: ${problem}`, options(place, cause));
}

/** A parse error of a query that is well formed, in Loki's words: it says no place, the error's fields do. */
export function parseErrorOf(place: Place, problem: string, cause?: unknown): ParseError {
  return new ParseError(`parse error : ${problem}`, options(place, cause));
}

function options({ start, end }: Place, cause: unknown) {
  return { position: start, end, ...(cause === undefined ? {} : { cause }) };
}

/** Of an error of `compileRegex`, what Go would say. */
export function regexProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /^invalid regular expression "(?:[^"\\]|\\.)*": (.*)$/s.exec(message)?.[1] ?? message;
}
