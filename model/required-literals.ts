/** What may follow an item, so that it need not be there, or not once. */
const OPTIONAL = new Set(["?", "*", "{"]);
const SPECIAL = new Set([".", "^", "$", "+", "?", "*", "{", "}", "(", ")", "[", "]", "|", "\\"]);

/**
 * Texts that every match of an RE2 expression has in it, whatever else it has; none when that is not easily said. Only the
 * outermost sequence is looked at: groups and classes end a text, alternatives and flags end it all.
 */
export function requiredLiterals(source: string): readonly string[] {
  const literals: string[] = [];
  let current = "";
  const end = () => {
    if (current !== "") literals.push(current);
    current = "";
  };
  for (let at = 0; at < source.length; ) {
    const item = itemAt(source, at);
    if (!item) return [];
    const next = source[item.end];
    if (item.literal === undefined || (next !== undefined && OPTIONAL.has(next))) end();
    else current += item.literal;
    // Of `a+` the first a is surely there, and what comes after it need not be next to it.
    if (next === "+") end();
    at = item.end;
  }
  end();
  return literals;
}

/**
 * Expressions of which every match of an RE2 expression is a match of one: what stands between its outermost `|`, also in a group
 * around it all; itself alone when that is not easily said.
 */
export function alternativesOf(source: string): readonly string[] {
  const isGroup = source.startsWith("(") && itemAt(source, 0)?.end === source.length;
  const inner = isGroup ? source.slice(source.startsWith("(?:") ? 3 : 1, -1) : source;
  const alternatives: string[] = [];
  let begin = 0;
  for (let at = 0; at < inner.length; ) {
    if (inner[at] === "|") {
      alternatives.push(inner.slice(begin, at));
      begin = ++at;
      continue;
    }
    const item = itemAt(inner, at);
    if (!item) return [source];
    at = item.end;
  }
  return [...alternatives, inner.slice(begin)];
}

type Item = { readonly end: number; readonly literal?: string };

/** Undefined: alternatives, flags, or something that is not known here. */
function itemAt(source: string, at: number): Item | undefined {
  const character = String.fromCodePoint(source.codePointAt(at) as number);
  switch (character) {
    case "\\":
      return escapeAt(source, at);
    case "[":
      return endOfClass(source, at);
    case "(":
      return endOfGroup(source, at);
    case "{":
      return endOfRepetition(source, at);
    case "|":
    case ")":
      return undefined;
    default:
      if (SPECIAL.has(character)) return { end: at + 1 };
      return { end: at + character.length, literal: character };
  }
}

/** Escaped punctuation is itself; letters and digits have all kinds of meanings, some of several characters. */
function escapeAt(source: string, at: number): Item | undefined {
  const escaped = source[at + 1];
  if (escaped === undefined) return undefined;
  if (/[!-/:-@[-^`{-~]/.test(escaped)) return { end: at + 2, literal: escaped };
  return /[dDsSwWbBAz]/.test(escaped) ? { end: at + 2 } : undefined;
}

function endOfClass(source: string, at: number): Item | undefined {
  // Right after the bracket one more is a member.
  let i = source[at + 1] === "^" ? at + 2 : at + 1;
  if (source[i] === "]") i++;
  for (; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "[" && source[i + 1] === ":") return undefined;
    else if (source[i] === "]") return { end: i + 1 };
  }
  return undefined;
}

function endOfGroup(source: string, at: number): Item | undefined {
  if (source[at + 1] === "?" && source[at + 2] !== ":") return undefined;
  for (let i = source[at + 1] === "?" ? at + 3 : at + 1; i < source.length; ) {
    if (source[i] === ")") return { end: i + 1 };
    if (source[i] === "|") {
      i++;
      continue;
    }
    const item = itemAt(source, i);
    if (!item) return undefined;
    i = item.end;
  }
  return undefined;
}

function endOfRepetition(source: string, at: number): Item | undefined {
  const repetition = /^\{\d*,?\d*\}/.exec(source.slice(at, at + 20));
  return repetition ? { end: at + repetition[0].length } : undefined;
}
