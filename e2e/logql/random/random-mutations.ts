import type { RandomNumbers } from "../../promql-random-numbers.ts";

const TOKEN = /"(?:[^"\\]|\\.)*"|`[^`]*`|[\p{L}\p{N}_.]+|\|[=~>]|![=~>]|=[~=]|[<>]=|[^\s]/gu;
const STRAY = [
  "|",
  "{",
  "}",
  "(",
  ")",
  "[",
  "]",
  "[5m]",
  ",",
  "=",
  "!=",
  "|=",
  "!~",
  "by",
  "without",
  "on",
  "group_left",
  "offset",
  "bool",
  "and",
  "or",
  "unless",
  "json",
  "logfmt",
  "unwrap",
  "ip",
  '"',
  "`",
  '"text"',
  "5",
  "-1",
  "1.5",
  "5m",
  "5x",
  "1KB",
  "sum",
  "topk",
  "rate",
  "count_over_time",
  "vector",
  "label_replace",
  "keep",
  "drop",
  "line_format",
  "label_format",
  "distinct",
  "variants",
  "@",
  "$",
  "#",
  "\\",
  "é",
  "--strict",
  "__error__",
  "+",
  "^",
  "/",
];

/** The query with a token too many, too few, or in the wrong place: most often none that can be read. */
export function mutated(text: string, random: RandomNumbers): string {
  const tokens = [...text.matchAll(TOKEN)].map((match) => ({ start: match.index, text: match[0] }));
  if (tokens.length === 0) return random.one(STRAY);
  const at = random.integer(0, tokens.length - 1);
  const { start, text: token } = tokens[at] as (typeof tokens)[number];
  const [before, behind] = [text.slice(0, start), text.slice(start + token.length)];
  switch (random.weighted({ less: 3, twice: 1, other: 3, more: 2, cut: 1, inside: 1 })) {
    case "less":
      return before + behind;
    case "twice":
      return `${before}${token} ${token}${behind}`;
    case "other":
      return before + random.one(STRAY) + behind;
    case "more":
      return `${before}${random.one(STRAY)} ${token}${behind}`;
    case "cut":
      return before;
    case "inside":
      return before + token.slice(0, random.integer(0, token.length - 1)) + behind;
  }
}
