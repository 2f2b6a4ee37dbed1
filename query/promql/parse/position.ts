import { ParseError } from "@sightline/model/errors.ts";
import type { Range } from "../ast.ts";

/** `line:column` of a character offset, both from 1; columns count bytes of UTF-8, as Prometheus does. */
export function lineColumn(text: string, position: number): string {
  if (text === "") return "unknown position";
  let line = 1;
  let lineStart = 0;
  for (let i = text.indexOf("\n"); i !== -1 && i < position; i = text.indexOf("\n", i + 1)) {
    line++;
    lineStart = i + 1;
  }
  return `${line}:${Buffer.byteLength(text.slice(lineStart, position)) + 1}`;
}

/** A {@link ParseError} with the message Prometheus would give: `1:6: parse error: …`. */
export function parseErrorAt(text: string, range: Range, reason: string, cause?: unknown): ParseError {
  return new ParseError(`${lineColumn(text, range.start)}: parse error: ${reason}`, {
    position: range.start,
    end: range.end,
    ...(cause === undefined ? {} : { cause }),
  });
}
