import { LineScanner, NO_WORD } from "./line-scanner.ts";
import { LineTemplate } from "./line-template.ts";
import { ShapeIndex } from "./shape-index.ts";

/** Shapes that lead to a template without looking at its words. */
const MAX_SHAPES = 4_096;
/** Templates of lines with the same delimiters. */
const MAX_ALIKE = 40;
/**
 * How similar a line must be to join a template: the more templates there are with the same delimiters, the less. So a few
 * messages of the same build stay apart, and words that are always new become variables.
 */
const THRESHOLDS: readonly { readonly templates: number; readonly similarity: number }[] = [
  { templates: 8, similarity: 0.8 },
  { templates: 16, similarity: 0.65 },
  { templates: 24, similarity: 0.5 },
  { templates: 32, similarity: 0.3 },
];

/** Stands for a variable where a template is written out: whatever is around it, it is a token. */
const ANY_TOKEN = "x";

/** Templates of lines with the same text between their tokens. */
type Alike = { readonly literals: readonly string[]; readonly hasRest: boolean; readonly templates: LineTemplate[] };

/** One for all: it keeps nothing from line to line. */
const scanner = new LineScanner();

/** How many templates there are over several miners. */
export type Tally = { templates: number };
/** Says whether a line that looks new may be looked at closely, which takes some microseconds. */
export type MayLookCloser = () => boolean;

/**
 * Finds the templates of lines, after Drain (He et al. 2017): the number of tokens and what is between them lead to a few
 * templates; the line joins the most similar one or founds another. Most lines are known by the hash of their words, and
 * cost one pass over their characters.
 */
export class TemplateMiner {
  readonly #shapes = new ShapeIndex(MAX_SHAPES);
  /** By the number that the shapes have; undefined where one was removed. */
  #templates: (LineTemplate | undefined)[] = [];
  /** By the scanner's hash of what is between the tokens. */
  readonly #alike = new Map<number, Alike[]>();
  readonly #numbers = new Map<LineTemplate, number>();
  readonly #tally: Tally;
  #size = 0;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  get size(): number {
    return this.#size;
  }

  get memoryBytes(): number {
    return this.#shapes.memoryBytes + this.#size * 100;
  }

  templates(): readonly LineTemplate[] {
    return this.#templates.filter((template) => template !== undefined);
  }

  /** Of the line in `[from, to)`. Undefined when it looks new and may not be looked at. */
  find(bytes: Buffer, from: number, to: number, mayLookCloser: MayLookCloser): LineTemplate | undefined {
    scanner.scan(bytes, from, to);
    const { hashA, hashB } = scanner;
    const known = this.#shapes.get(hashA, hashB);
    if (known >= 0) {
      const template = this.#templates[known];
      if (template) return template;
    }
    if (!mayLookCloser()) return undefined;
    const template = this.#match(bytes, from);
    this.#shapes.set(hashA, hashB, this.#numberOf(template));
    return template;
  }

  /** Of a snapshot. */
  restore(template: LineTemplate): void {
    const { literals, tokens, hasRest } = template;
    const bytes = Buffer.from(
      literals.map((literal, i) => literal + (i < tokens.length ? (tokens[i] ?? ANY_TOKEN) : "")).join(""),
    );
    scanner.scan(bytes, 0, bytes.length);
    template.learn(scanner.words);
    const alike = this.#alikeOf(bytes, 0, hasRest) ?? this.#newAlike(literals, hasRest);
    this.#add(alike, template);
  }

  /** Removes those that `isGone` names. */
  remove(isGone: (template: LineTemplate) => boolean): number {
    const before = this.#size;
    const kept = this.templates().filter((template) => !isGone(template));
    if (kept.length === before) return 0;
    this.#shapes.clear();
    this.#alike.clear();
    this.#templates = [];
    this.#numbers.clear();
    this.#tally.templates -= this.#size;
    this.#size = 0;
    for (const template of kept) this.restore(template);
    return before - kept.length;
  }

  #numberOf(template: LineTemplate): number {
    return this.#numbers.get(template) as number;
  }

  #match(bytes: Buffer, from: number): LineTemplate {
    const { hasRest } = scanner;
    const known = this.#alikeOf(bytes, from, hasRest);
    const best = known && mostSimilar(known.templates, scanner.words);
    if (best) {
      best.generalize(scanner.words);
      return best;
    }
    const alike = known ?? this.#newAlike(literalsOf(bytes, from), hasRest);
    const template = new LineTemplate(alike.literals, tokensOf(bytes), hasRest);
    template.learn(scanner.words);
    this.#add(alike, template);
    return template;
  }

  /** The templates whose literals are what the line that was scanned has between its tokens. */
  #alikeOf(bytes: Buffer, from: number, hasRest: boolean): Alike | undefined {
    const sameHash = this.#alike.get(scanner.delimiters);
    return sameHash?.find((alike) => alike.hasRest === hasRest && hasLiterals(bytes, from, alike.literals));
  }

  #newAlike(literals: readonly string[], hasRest: boolean): Alike {
    const alike: Alike = { literals, hasRest, templates: [] };
    const sameHash = this.#alike.get(scanner.delimiters);
    if (sameHash) sameHash.push(alike);
    else this.#alike.set(scanner.delimiters, [alike]);
    return alike;
  }

  #add({ templates }: Alike, template: LineTemplate): void {
    templates.push(template);
    this.#numbers.set(template, this.#templates.length);
    this.#templates.push(template);
    this.#size++;
    this.#tally.templates++;
  }
}

/** Of the line that was scanned, which begins at `from`. */
function hasLiterals(bytes: Buffer, from: number, literals: readonly string[]): boolean {
  const { starts, ends, tokens, end } = scanner;
  if (literals.length !== tokens + 1) return false;
  let at = from;
  for (let i = 0; i <= tokens; i++) {
    const literal = literals[i] as string;
    const to = i < tokens ? (starts[i] as number) : end;
    if (to - at !== literal.length) return false;
    for (let c = 0; c < literal.length; c++) if (bytes[at + c] !== literal.charCodeAt(c)) return false;
    at = ends[i] as number;
  }
  return true;
}

/** Delimiters are ASCII. */
function literalsOf(bytes: Buffer, from: number): string[] {
  const { starts, ends, tokens, end } = scanner;
  const literals: string[] = [];
  let at = from;
  for (let i = 0; i < tokens; i++) {
    literals.push(bytes.toString("latin1", at, starts[i]));
    at = ends[i] as number;
  }
  literals.push(bytes.toString("latin1", at, end));
  return literals;
}

function tokensOf(bytes: Buffer): (string | undefined)[] {
  const { starts, ends, words } = scanner;
  return Array.from({ length: scanner.tokens }, (_, i) =>
    words[i] === NO_WORD ? undefined : bytes.toString("utf8", starts[i], ends[i]),
  );
}

function mostSimilar(alike: readonly LineTemplate[], words: Int32Array): LineTemplate | undefined {
  let best: LineTemplate | undefined;
  let bestSimilarity = THRESHOLDS.find(({ templates }) => alike.length <= templates)?.similarity ?? 0;
  for (const template of alike) {
    const similarity = template.similarity(words);
    if (similarity < bestSimilarity || (best && similarity === bestSimilarity)) continue;
    if (similarity === 0 && alike.length < MAX_ALIKE) continue;
    best = template;
    bestSimilarity = similarity;
  }
  return best;
}
