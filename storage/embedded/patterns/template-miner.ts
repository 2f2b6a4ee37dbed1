import { LineScanner } from "./line-scanner.ts";
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

/** V8 copies shorter ones. */
const SHORTEST_SLICE = 13;

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
  readonly #alike = new Map<string, LineTemplate[]>();
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

  /** Undefined when it looks new and may not be looked at. */
  find(line: string, mayLookCloser: MayLookCloser): LineTemplate | undefined {
    scanner.scan(line);
    const { hashA, hashB } = scanner;
    const known = this.#shapes.get(hashA, hashB);
    if (known >= 0) {
      const template = this.#templates[known];
      if (template) return template;
    }
    if (!mayLookCloser()) return undefined;
    const template = this.#match(line);
    this.#shapes.set(hashA, hashB, this.#numberOf(template));
    return template;
  }

  /** Of a snapshot. */
  restore(template: LineTemplate): void {
    this.#add(keyOf(template.literals, template.hasRest), template);
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

  #match(line: string): LineTemplate {
    const { literals, tokens, hasRest } = split(line);
    const key = keyOf(literals, hasRest);
    const alike = this.#alike.get(key);
    if (alike) {
      const best = mostSimilar(alike, tokens);
      if (best) {
        best.generalize(tokens);
        return best;
      }
    }
    const template = new LineTemplate(
      literals.map(copied),
      tokens.map((token) => token && copied(token)),
      hasRest,
    );
    this.#add(key, template);
    return template;
  }

  #add(key: string, template: LineTemplate): void {
    const alike = this.#alike.get(key);
    if (alike) alike.push(template);
    else this.#alike.set(key, [template]);
    this.#numbers.set(template, this.#templates.length);
    this.#templates.push(template);
    this.#size++;
    this.#tally.templates++;
  }
}

function split(line: string): { literals: string[]; tokens: (string | undefined)[]; hasRest: boolean } {
  const { starts, ends, masked, restStart } = scanner;
  const literals: string[] = [];
  const tokens: (string | undefined)[] = [];
  let at = 0;
  for (let i = 0; i < scanner.tokens; i++) {
    const start = starts[i] as number;
    const end = ends[i] as number;
    literals.push(line.slice(at, start));
    tokens.push(masked[i] === 1 ? undefined : line.slice(start, end));
    at = end;
  }
  literals.push(line.slice(at, restStart >= 0 ? restStart : line.length));
  return { literals, tokens, hasRest: restStart >= 0 };
}

/** A longer part of a string keeps all of it in memory. */
function copied(text: string): string {
  return text.length < SHORTEST_SLICE ? text : Buffer.from(text).toString();
}

/** No literal contains the separator: a letter is no delimiter, and in control sequences none follows a NUL. */
function keyOf(literals: readonly string[], hasRest: boolean): string {
  return `${hasRest ? 1 : 0}${literals.join("\u0000x")}`;
}

function mostSimilar(
  alike: readonly LineTemplate[],
  tokens: readonly (string | undefined)[],
): LineTemplate | undefined {
  let best: LineTemplate | undefined;
  let bestSimilarity = THRESHOLDS.find(({ templates }) => alike.length <= templates)?.similarity ?? 0;
  for (const template of alike) {
    const similarity = template.similarity(tokens);
    if (similarity < bestSimilarity || (best && similarity === bestSimilarity)) continue;
    if (similarity === 0 && alike.length < MAX_ALIKE) continue;
    best = template;
    bestSimilarity = similarity;
  }
  return best;
}
