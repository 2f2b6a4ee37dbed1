/** A pattern that can't be used. The message is Loki's (pkg/logql/log/pattern). */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

type Capture = { readonly capture: string };
type Part = string | Capture;
const UNNAMED = "_";

/** Splits `<_> "<method> <path>"` into literals and captures. Throws {@link PatternError}. */
export function parsePattern(text: string): Pattern {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(/<([A-Za-z_][A-Za-z0-9_]*)>/g)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    parts.push({ capture: match[1] as string });
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  for (let i = 0; i + 1 < parts.length; i++) {
    const [a, b] = [parts[i], parts[i + 1]] as [Part, Part];
    if (typeof a === "string" || typeof b === "string") continue;
    throw new PatternError(`found consecutive capture '<${a.capture}><${b.capture}>': invalid expression`);
  }
  return new Pattern(parts);
}

/** A line as a sequence of literals with captures in between. */
export class Pattern {
  readonly #parts: readonly Part[];
  /** Of the captures that have one, in their order. */
  readonly names: readonly string[];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.names = parts.flatMap((part) => (typeof part === "string" || part.capture === UNNAMED ? [] : [part.capture]));
  }

  /** What every matching line contains. */
  get literals(): readonly string[] {
    return this.#parts.filter((part) => typeof part === "string");
  }

  /** For the parser stage: throws {@link PatternError} when nothing is captured, or a name twice. */
  checkCaptures(): void {
    if (this.#parts.length === 0) {
      throw new PatternError(
        "parse error at line 1, col 1: syntax error: unexpected $end, expecting IDENTIFIER or LITERAL",
      );
    }
    if (this.names.length === 0) throw new PatternError("at least one capture is required");
    for (const [i, name] of this.names.entries()) {
      if (this.names.indexOf(name) !== i)
        throw new PatternError(`duplicate capture name (${name}): invalid expression`);
    }
  }

  /** For line filters: throws {@link PatternError} when a capture has a name. */
  checkUnnamed(): void {
    const [name] = this.names;
    if (name !== undefined) throw new PatternError(`named captures are not allowed: found '<${name}>'`);
  }

  /**
   * What the named captures hold, by {@link names}; fewer when the line ends too early: the capture before the missing
   * literal takes the rest.
   */
  captures(line: string): readonly string[] {
    const found: string[] = [];
    if (line === "") return found;
    let at = 0;
    let i = 0;
    if (typeof this.#parts[0] === "string") {
      if (!line.startsWith(this.#parts[0])) return found;
      at = this.#parts[0].length;
      i = 1;
    }
    for (; i < this.#parts.length; i += 2) {
      const { capture } = this.#parts[i] as Capture;
      const literal = this.#parts[i + 1] as string | undefined;
      const next = literal === undefined ? -1 : line.indexOf(literal, at);
      if (capture !== UNNAMED) found.push(next === -1 ? line.slice(at) : line.slice(at, next));
      if (next === -1 || literal === undefined) return found;
      at = next + literal.length;
    }
    return found;
  }

  /** The whole line is of this form, nothing captured being empty. The first literal may come anywhere. */
  matches(line: string): boolean {
    if (line === "" || this.#parts.length === 0) return line === "" && this.#parts.length === 0;
    let at = 0;
    for (const [i, part] of this.#parts.entries()) {
      if (typeof part !== "string") continue;
      const next = line.indexOf(part, at);
      if (next === -1 || (i !== 0 && next === at)) return false;
      at = next + part.length;
    }
    const endsOnCapture = typeof this.#parts.at(-1) !== "string";
    return endsOnCapture === (at !== line.length);
  }
}
