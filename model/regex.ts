import { RE2JS } from "re2js";
import { InvalidInputError } from "./errors.ts";
import { matchesAlternative, type RegexAlternative, regexAlternatives } from "./regex-alternatives.ts";

/**
 * A regular expression of RE2 semantics: linear time whatever the input. Of a text too long for that to be soon (see
 * {@link limitRegexWork}) only the beginning is looked at.
 */
export interface Regex {
  readonly source: string;
  /** The whole text matches, as label matchers want it; `.` matches line ends too (Prometheus' FastRegexMatcher). */
  matchesWhole(text: string): boolean;
  /** Some part of the text matches, as LogQL's `|~` wants it. */
  matchesSomewhere(text: string): boolean;
  /** When the expression is a plain list of strings (`a|b|c`), those; a store looks them up instead of scanning. */
  readonly literals: readonly string[] | undefined;
  /** A list of strings, some of which may begin or end with `.*` or `.+`: nothing is compiled for {@link matchesWhole}. */
  readonly isList: boolean;
  /** Expands `$1`, `${name}` in `replacement` if the whole text matches, as `label_replace` wants it. */
  replaceWhole(text: string, replacement: string): string | undefined;
  /** Every match that is not empty is replaced by what `replace` makes of it, however long the text. */
  replaceEach(text: string, replace: (match: string) => string): string;
  /** Names of the groups by their number, "" for those without one; the first is the whole match. */
  groupNames(): readonly string[];
  /** The groups of the first match somewhere in the text, "" for those that took no part; undefined without a match. */
  find(text: string): readonly string[] | undefined;
  /** How many matches there are, empty ones included (Go's FindAllStringIndex). */
  count(text: string): number;
  /**
   * Go's ReplaceAllString: expands `$1`, `${name}` in `replacement` for every match; ReplaceAllLiteralString: does not.
   * Throws {@link InvalidInputError} when the result would be longer than `maxLength`.
   */
  replaceAll(text: string, replacement: string, isLiteral: boolean, maxLength?: number): string;
}

const MAX_CACHED = 1_000;
/** Compiling takes about 10 µs a character and can't be interrupted. */
const MAX_COMPILED_LENGTH = 4 * 1024;
/** Lists of strings (see {@link Regex.isList}) are not compiled: dashboards send long ones. */
const MAX_SOURCE_LENGTH = 256 * 1024;
const cache = new Map<string, Regex>();

/** Finding groups took at most 30 ns, telling whether there is a match at most 12 ns per character and instruction. */
const DEFAULT_REGEX_WORK = 4_000_000;
/** Texts up to this long are looked at whole, however complex the expression. */
const MIN_FIND_LENGTH = 1_024;
const MIN_TEST_LENGTH = 65_536;
/** Of those that are replaced or counted one by one. */
const WORK_PER_MATCH = 100;
const MAX_MATCHES_MS = 200;
const MATCHES_PER_LOOK = 8;
let maxWork = DEFAULT_REGEX_WORK;
let cutTexts = 0;

/**
 * For all expressions of the process: how many characters, times the instructions of the expression, finding a match may
 * look at; telling whether there is one, twice as many. Replacing and counting end after a hundredth as many matches,
 * or 200 ms.
 * What is behind is not seen: nothing matches there, and nothing is replaced.
 */
export function limitRegexWork(work: number): void {
  maxWork = work;
}

/** Texts of which only the beginning was looked at, since the start. */
export function countCutTexts(): number {
  return cutTexts;
}

function beginningOf(text: string, regex: RE2JS, work: number, minLength: number): string {
  if (text.length <= minLength) return text;
  const length = Math.max(minLength, Math.floor(work / regex.programSize()));
  if (text.length <= length) return text;
  cutTexts++;
  return text.slice(0, length);
}

const forFind = (text: string, regex: RE2JS) => beginningOf(text, regex, maxWork, MIN_FIND_LENGTH);
const forTest = (text: string, regex: RE2JS) => beginningOf(text, regex, 2 * maxWork, MIN_TEST_LENGTH);

/** Throws {@link InvalidInputError} when `source` is not valid RE2, or too long. Compiled expressions are cached. */
export function compileRegex(source: string): Regex {
  const known = cache.get(source);
  if (known) return known;
  if (source.length > MAX_SOURCE_LENGTH) throw tooLong(source, MAX_SOURCE_LENGTH);
  const compiled = new CompiledRegex(source);
  if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value as string);
  cache.set(source, compiled);
  return compiled;
}

class CompiledRegex implements Regex {
  readonly source: string;
  readonly literals: readonly string[] | undefined;
  readonly isList: boolean;
  #whole: RE2JS | undefined;
  #somewhere: RE2JS | undefined;
  readonly #literalSet: Set<string> | undefined;
  /** Those of a list that are no plain strings. */
  readonly #gapped: readonly RegexAlternative[];

  constructor(source: string) {
    this.source = source;
    const alternatives = regexAlternatives(source);
    this.isList = alternatives !== undefined;
    if (!alternatives) this.#whole = this.#compileWhole();
    const isPlain = ({ before, after }: RegexAlternative) => before === "" && after === "";
    const literals = alternatives?.filter(isPlain).map(({ text }) => text);
    this.#literalSet = literals && new Set(literals);
    this.#gapped = alternatives?.filter((alternative) => !isPlain(alternative)) ?? [];
    this.literals = this.#gapped.length === 0 ? literals : undefined;
  }

  #compileWhole(): RE2JS {
    return compile(`(?s:${this.source})`, this.source);
  }

  matchesWhole(text: string): boolean {
    if (this.#literalSet) {
      if (this.#literalSet.has(text)) return true;
      for (const alternative of this.#gapped) if (matchesAlternative(alternative, text)) return true;
      return false;
    }
    this.#whole ??= this.#compileWhole();
    return this.#whole.testExact(forTest(text, this.#whole));
  }

  matchesSomewhere(text: string): boolean {
    if (this.literals && this.source.length > MAX_COMPILED_LENGTH) {
      return this.literals.some((literal) => text.includes(literal));
    }
    this.#somewhere ??= compile(this.source, this.source);
    return this.#somewhere.test(forTest(text, this.#somewhere));
  }

  groupNames(): readonly string[] {
    const regex = this.#compileSomewhere();
    const names = new Array<string>(regex.groupCount() + 1).fill("");
    for (const [name, index] of Object.entries(regex.namedGroups())) names[index] = name;
    return names;
  }

  find(text: string): readonly string[] | undefined {
    const regex = this.#compileSomewhere();
    const matcher = regex.matcher(forFind(text, regex));
    if (!matcher.find()) return undefined;
    const groups: string[] = [];
    for (let i = 0; i <= matcher.groupCount(); i++) groups.push(matcher.group(i) ?? "");
    return groups;
  }

  count(text: string): number {
    let count = 0;
    this.#eachMatch(text, () => count++);
    return count;
  }

  replaceAll(text: string, replacement: string, isLiteral: boolean, maxLength = Number.POSITIVE_INFINITY): string {
    let replaced = "";
    let end = 0;
    this.#eachMatch(text, (matcher) => {
      replaced += text.slice(end, matcher.start()) + (isLiteral ? replacement : expand(replacement, matcher, this));
      end = matcher.end();
      if (replaced.length > maxLength) throw new InvalidInputError(`the result is longer than ${maxLength} characters`);
    });
    return replaced + text.slice(end);
  }

  /** As in Go an empty match right after another match is none. */
  #eachMatch(text: string, visit: (matcher: Matcher) => void): void {
    const regex = this.#compileSomewhere();
    const matcher = regex.matcher(forFind(text, regex));
    let lastEnd = -1;
    const endMs = performance.now() + MAX_MATCHES_MS;
    for (let left = Math.max(MIN_FIND_LENGTH, maxWork / WORK_PER_MATCH); matcher.find(); left--) {
      // Each match may look at all the rest of the text (`a.*b|a`): together they must not take much longer than one.
      if (left <= 0 || (left % MATCHES_PER_LOOK < 1 && performance.now() > endMs)) {
        cutTexts++;
        return;
      }
      if (matcher.end() > matcher.start() || matcher.start() !== lastEnd) visit(matcher);
      lastEnd = matcher.end();
    }
  }

  #compileSomewhere(): RE2JS {
    this.#somewhere ??= compile(this.source, this.source);
    return this.#somewhere;
  }

  replaceEach(text: string, replace: (match: string) => string): string {
    this.#somewhere ??= compile(this.source, this.source);
    const matcher = this.#somewhere.matcher(text);
    let replaced = "";
    let end = 0;
    while (matcher.find()) {
      const match = matcher.group() ?? "";
      if (match === "") continue;
      replaced += text.slice(end, matcher.start()) + replace(match);
      end = matcher.end();
    }
    return end === 0 ? text : replaced + text.slice(end);
  }

  replaceWhole(text: string, replacement: string): string | undefined {
    this.#whole ??= this.#compileWhole();
    const matcher = this.#whole.matcher(forFind(text, this.#whole));
    if (!matcher.matches()) return undefined;
    return expand(replacement, matcher, this);
  }
}

/** Go's Regexp.Expand: $name takes the longest run of word characters; unknown groups are empty; $$ is a dollar. */
function expand(replacement: string, matcher: Matcher, regex: Regex): string {
  return replacement.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (all, braced?: string, bare?: string) => {
    if (all === "$$") return "$";
    const name = (braced ?? bare) as string;
    const index = /^\d+$/.test(name) ? Number(name) : regex.groupNames().indexOf(name);
    return index < 0 || index > matcher.groupCount() ? "" : (matcher.group(index) ?? "");
  });
}

/** The expression that matches `text` and nothing else (Go's regexp.QuoteMeta). */
export function quoteRegex(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

type Matcher = ReturnType<RE2JS["matcher"]>;

function tooLong(source: string, limit: number): InvalidInputError {
  return new InvalidInputError(
    `regular expression is ${source.length} characters long; at most ${limit} are allowed (${MAX_SOURCE_LENGTH} for a list a|b.*|c)`,
  );
}

function compile(pattern: string, source: string): RE2JS {
  if (source.length > MAX_COMPILED_LENGTH) throw tooLong(source, MAX_COMPILED_LENGTH);
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    const reason = faultOf(source) ?? (cause instanceof Error ? cause.message : String(cause));
    throw new InvalidInputError(`invalid regular expression ${JSON.stringify(source)}: ${reason}`, { cause });
  }
}

/** What is wrong with the expression as it was written, without what we put around it. */
function faultOf(source: string): string | undefined {
  try {
    RE2JS.compile(source);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
