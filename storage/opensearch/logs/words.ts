import type { LineFilter } from "@sightline/model/line-filter.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import { alternativesOf, requiredLiterals } from "@sightline/model/required-literals.ts";
import { wordRegex } from "./word-regex.ts";

/** Longer ones are cut into pieces, far below the 32,766 bytes at which OpenSearch refuses a term. */
const MAX_WORD_LENGTH = 255;
const LONG_WORD = new RegExp(`[\\w\\u0080-\\uffff]{${MAX_WORD_LENGTH - 5}}`);
/** More do not make it more selective, only slower. */
const MAX_WORDS = 8;
/** Longer ones would make large automata. */
const MAX_ANY_CASE_LENGTH = 50;

/**
 * How a line is cut into words for the index: at every ASCII character that is no letter, digit or underscore. Words keep
 * their case, so that what contains a text can be found exactly. In Lucene's syntax, of an automaton: `char_group` says the same
 * and looks every character up in a hash table.
 */
const WORD = `[0-9A-Za-z_\u0080-\u{10ffff}]{1,${MAX_WORD_LENGTH}}`;

export const WORDS_ANALYSIS = {
  tokenizer: { sightline_words: { type: "simple_pattern", pattern: WORD } },
  analyzer: { sightline_words: { type: "custom", tokenizer: "sightline_words" } },
};
export const WORDS_FIELD = { type: "text", analyzer: "sightline_words", index_options: "docs", norms: false };

/**
 * Documents with such a body are looked at whatever is asked for. Of a surrogate without its other half and the character after
 * it Lucene makes one.
 */
export function hasLongWord(body: string): boolean {
  return (body.length >= MAX_WORD_LENGTH - 5 && LONG_WORD.test(body)) || !body.isWellFormed();
}

/**
 * A query that finds the lines that the filter lets through and no others, among those without long words
 * ({@link hasLongWord}); undefined when there is none: what the filter looks for is more than a part of a word.
 */
export function exactLineQuery({ op, text }: LineFilter): object | undefined {
  const found = op === "|=" || op === "!=" ? exactTextQuery(text) : exactRegexQuery(text);
  if (!found || op === "|=" || op === "|~") return found;
  return { bool: { must_not: [found] } };
}

const ALL = { match_all: {} };

function exactTextQuery(text: string): object | undefined {
  if (text === "") return ALL;
  return /[^\w\u0080-\uffff]/.test(text) ? undefined : wordsQuery(text);
}

function exactRegexQuery(source: string): object | undefined {
  const regex = compileRegex(source);
  if (regex.matchesSomewhere("")) return /^(?:\(\?[ims]+\))?[^$^\\]*$/.test(source) ? ALL : undefined;
  if (regex.literals) {
    const queries = regex.literals.map(exactTextQuery);
    const isUsable = queries.length <= MAX_ALTERNATIVES && queries.every((query) => query !== undefined);
    return isUsable ? { bool: { should: queries, minimum_should_match: 1 } } : undefined;
  }
  const value = wordRegex(source);
  return value === undefined ? undefined : { regexp: { message: { value, flags: "NONE" } } };
}

/**
 * A query that finds every line that the filter lets through, and maybe others; undefined when all lines would have to be
 * looked at.
 */
export function lineQuery({ op, text }: LineFilter): object | undefined {
  if (op === "|=") return orLongWords(wordsQuery(text));
  const exact = exactLineQuery({ op, text });
  if (exact) return exact === ALL ? undefined : orLongWords(exact);
  if (op !== "|~") return undefined;
  const { literals } = compileRegex(text);
  return orLongWords(literals ? anyOf(literals.map(wordsQuery)) : requiredQuery(text));
}

/**
 * A query that finds every line that the filter leaves out, and maybe others; undefined for filters that leave out what they don't find,
 * and when all lines would have to be looked at.
 */
export function leftOutQuery({ op, text }: LineFilter): object | undefined {
  if (op === "!=") return lineQuery({ op: "|=", text });
  return op === "!~" ? lineQuery({ op: "|~", text }) : undefined;
}

/** What every match has in it: of each alternative its words. */
function requiredQuery(source: string): object | undefined {
  const isInsensitive = source.startsWith("(?i)");
  const alternatives = alternativesOf(isInsensitive ? source.slice(4) : source);
  const queries = alternatives.map((alternative) => {
    const found = requiredLiterals(alternative).flatMap(isInsensitive ? anyCaseQueries : wordsQuery);
    const known = found.filter((query) => query !== undefined).slice(0, MAX_WORDS);
    return known.length > 0 ? { bool: { filter: known } } : undefined;
  });
  return anyOf(queries);
}

function anyCaseQueries(text: string): object[] {
  const words = text.split(/[^\w\u0080-\uffff]/).filter((word) => word !== "" && word.length <= MAX_ANY_CASE_LENGTH);
  return words.flatMap((word) => {
    const value = wordRegex(`(?i)${word}`);
    return value === undefined ? [] : [{ regexp: { message: { value, flags: "NONE" } } }];
  });
}

function anyOf(queries: readonly (object | undefined)[]): object | undefined {
  const isUsable = queries.length <= MAX_ALTERNATIVES && queries.every((query) => query !== undefined);
  return isUsable ? { bool: { should: queries, minimum_should_match: 1 } } : undefined;
}

function orLongWords(query: object | undefined): object | undefined {
  return query && { bool: { should: [query, { term: { long_words: true } }], minimum_should_match: 1 } };
}
const MAX_ALTERNATIVES = 100;

function wordsQuery(text: string): object | undefined {
  const parts = text.split(/[^\w\u0080-\uffff]/);
  // The first and the last may be part of a longer word.
  const whole = parts.slice(1, -1).filter((word) => isUsable(word));
  if (whole.length > 0) {
    const longest = [...new Set(whole)].sort((a, b) => b.length - a.length).slice(0, MAX_WORDS);
    return { bool: { filter: longest.map((word) => ({ term: { message: word } })) } };
  }
  const [first = "", last] = parts.length > 1 ? [parts[0], parts.at(-1)] : [parts[0], undefined];
  if (last === undefined) return isUsable(first) ? { wildcard: { message: { value: `*${first}*` } } } : undefined;
  const ends: object[] = [];
  if (isUsable(last)) ends.push({ prefix: { message: { value: last } } });
  if (isUsable(first)) ends.push({ wildcard: { message: { value: `*${first}` } } });
  return ends.length > 0 ? { bool: { filter: ends } } : undefined;
}

function isUsable(word: string): boolean {
  return word !== "" && word.length < MAX_WORD_LENGTH - 5 && word.isWellFormed();
}
