import { InvalidInputError } from "./errors.ts";
import { compileMatcher, type Matcher, type MatchOperator } from "./matcher.ts";

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const TEXT = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/y;
const OPERATOR = /=~|!~|!=|=/y;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/**
 * Reads a selector as PromQL writes it: `name`, `{job="api",path=~"/v1/.*"}`, `name{…}`, `{"dotted.name",…}`. Throws
 * {@link InvalidInputError} that says where it stops making sense.
 */
export function parseSelector(text: string): readonly Matcher[] {
  const scanner = new Scanner(text);
  const matchers: Matcher[] = [];
  const name = scanner.take(NAME);
  if (name !== undefined) matchers.push({ name: "__name__", op: "=", value: name });
  if (scanner.takes("{")) {
    while (!scanner.takes("}")) {
      matchers.push(matcher(scanner));
      if (!scanner.takes(",") && !scanner.isAt("}")) throw scanner.unexpected();
    }
  }
  if (!scanner.isAtEnd || matchers.length === 0) throw scanner.unexpected();
  for (const one of matchers) compileMatcher(one);
  return matchers;
}

function matcher(scanner: Scanner): Matcher {
  const quoted = scanner.take(TEXT);
  const name = quoted === undefined ? scanner.take(NAME) : unquote(quoted);
  if (name === undefined) throw scanner.unexpected();
  const op = scanner.take(OPERATOR) as MatchOperator | undefined;
  if (op === undefined && quoted !== undefined) return { name: "__name__", op: "=", value: name };
  const value = op === undefined ? undefined : scanner.take(TEXT);
  if (op === undefined || value === undefined) throw scanner.unexpected();
  return { name, op, value: unquote(value) };
}

function unquote(text: string): string {
  const inner = text.slice(1, -1);
  if (text.startsWith("`")) return inner;
  return inner.replace(/\\(.)/gs, (_, char: string) => ESCAPES[char] ?? char);
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipSpace();
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  isAt(char: string): boolean {
    return this.#text[this.#at] === char;
  }

  takes(char: string): boolean {
    if (!this.isAt(char)) return false;
    this.#at++;
    this.#skipSpace();
    return true;
  }

  /** `token` must be sticky. */
  take(token: RegExp): string | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    this.#skipSpace();
    return found;
  }

  unexpected(): InvalidInputError {
    const rest = this.isAtEnd ? "its end" : JSON.stringify(this.#text.slice(this.#at, this.#at + 20));
    return new InvalidInputError(
      `${JSON.stringify(this.#text)} is no selector: unexpected ${rest}; write for example {job="api",path=~"/v1/.*"}`,
    );
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }
}
