import type { Random } from "../random.ts";
import { mutateBytes } from "./bytes.ts";

const TOKEN = /\s+|[\p{L}\p{N}_.:]+|"(?:[^"\\]|\\.)*"|`[^`]*`|./gsu;
const MAX_CHARACTERS = 20_000;
const ODD_TOKENS = [
  "(",
  ")",
  "{",
  "}",
  "[",
  "]",
  ",",
  '"',
  "'",
  "`",
  "\\",
  "|",
  "=",
  "!=",
  "=~",
  "!~",
  "-",
  "+",
  "^",
  "%",
  "@",
  ":",
  ";",
  "#",
  "0",
  "1e999",
  "0x",
  "9".repeat(40),
  "NaN",
  "Inf",
  "5m",
  "1y",
  "99999999999y",
  "\u0000",
  "\ufeff",
  "ä",
  "💥",
  "\ud800",
  "by",
  "on",
  "offset",
  "start()",
  "\n",
];

/** Takes a text of some language apart into tokens and puts them together wrongly; at times only bytes. */
export function mutateText(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  if (random.chance(0.15)) return mutateBytes(input, other, random);
  let tokens = tokensOf(input);
  const foreign = tokensOf(other);
  for (let count = 1 + random.below(5); count > 0; count--) tokens = random.one(MUTATIONS)(tokens, foreign, random);
  return Buffer.from(tokens.join("").slice(0, MAX_CHARACTERS));
}

type Mutation = (tokens: string[], foreign: string[], random: Random) => string[];

const MUTATIONS: readonly Mutation[] = [
  (tokens, _, random) => tokens.toSpliced(random.below(tokens.length), 1 + random.below(3)),
  (tokens, _, random) => tokens.toSpliced(random.below(tokens.length + 1), random.below(2), random.one(ODD_TOKENS)),
  (tokens, foreign, random) => {
    const from = random.below(foreign.length);
    return tokens.toSpliced(
      random.below(tokens.length + 1),
      random.below(3),
      ...foreign.slice(from, from + 1 + random.below(8)),
    );
  },
  (tokens, _, random) => {
    const from = random.below(tokens.length);
    const piece = tokens.slice(from, from + 1 + random.below(6));
    const times = random.chance(0.05) ? 500 : 1;
    return tokens.toSpliced(from, 0, ...Array.from({ length: times }, () => piece).flat());
  },
  (tokens, _, random) => {
    const depth = random.chance(0.1) ? 2_000 : 3;
    const [open, close] = random.one([
      ["(", ")"],
      ["-", ""],
      ["sum(", ")"],
      ["{", "}"],
      ["[", "]"],
    ] as const);
    return [open.repeat(depth), ...tokens, close.repeat(depth)];
  },
  (tokens, _, random) => {
    const [a, b] = [random.below(tokens.length), random.below(tokens.length)];
    const swapped = [...tokens];
    [swapped[a], swapped[b]] = [tokens[b] ?? "", tokens[a] ?? ""];
    return swapped;
  },
];

function tokensOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString().match(TOKEN) ?? [];
}
