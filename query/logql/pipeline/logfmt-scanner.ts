const SPACE = 0x20;
const EQUALS = 0x3d;
const QUOTE = 0x22;

/**
 * Reads `key=value key="quoted value" key` one pair at a time, as Loki's decoder (pkg/logql/log/logfmt/decode.go): after
 * a mistake it goes on behind the next space.
 */
export class LogfmtScanner {
  #line = "";
  #at = 0;
  key = "";
  value = "";
  /** The last mistake, in Loki's words; "" for none. */
  error = "";

  start(line: string): void {
    this.#line = line;
    this.#at = 0;
    this.error = "";
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#line.length;
  }

  /** False at the end of the line, and after a mistake. */
  next(): boolean {
    this.key = "";
    this.value = "";
    const line = this.#line;
    while (this.#at < line.length && line.charCodeAt(this.#at) <= SPACE) this.#at++;
    if (this.#at >= line.length) return false;
    const start = this.#at;
    for (; this.#at < line.length; this.#at++) {
      const code = line.charCodeAt(this.#at);
      if (code === EQUALS) {
        if (this.#at === start) return this.#unexpected("=");
        return this.#takeKey(start) ? this.#readValue() : this.#skip();
      }
      if (code === QUOTE) return this.#unexpected('"');
      if (code <= SPACE) break;
    }
    return this.#takeKey(start);
  }

  #takeKey(start: number): boolean {
    this.key = this.#line.slice(start, this.#at);
    return this.key.includes("\ufffd") ? this.#wrong("invalid key") : true;
  }

  #readValue(): boolean {
    const line = this.#line;
    const start = ++this.#at;
    if (start >= line.length || line.charCodeAt(start) <= SPACE) return true;
    if (line.charCodeAt(start) === QUOTE) return this.#readQuoted(start);
    for (; this.#at < line.length; this.#at++) {
      const code = line.charCodeAt(this.#at);
      if (code <= SPACE) break;
      if (code === EQUALS || code === QUOTE) return this.#unexpected(line[this.#at] as string);
    }
    this.value = line.slice(start, this.#at);
    return true;
  }

  #readQuoted(start: number): boolean {
    const line = this.#line;
    let hasEscapes = false;
    for (let at = start + 1; at < line.length; at++) {
      const char = line[at];
      if (char === "\\") {
        hasEscapes = true;
        at++;
      } else if (char === '"') {
        this.#at = at + 1;
        const raw = line.slice(start + 1, at);
        const value = hasEscapes ? unquote(raw) : raw;
        if (value === undefined) return this.#wrong("invalid quoted value");
        this.value = value;
        return true;
      }
    }
    this.#at = line.length;
    return this.#wrong("unterminated quoted value");
  }

  #unexpected(char: string): boolean {
    this.#wrong(`unexpected '${char}'`);
    return this.#skip();
  }

  #skip(): boolean {
    while (this.#at < this.#line.length && this.#line.charCodeAt(this.#at) > SPACE) this.#at++;
    return false;
  }

  #wrong(problem: string): false {
    const bytes = Buffer.byteLength(this.#line.slice(0, this.#at));
    this.error = `logfmt syntax error at pos ${bytes + 1} : ${problem}`;
    return false;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  "'": "'",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** JSON's escapes and `\'`; undefined when there is another one. A lone surrogate becomes a replacement character. */
function unquote(raw: string): string | undefined {
  let isValid = true;
  const text = raw.replaceAll(/\\(?:u([\da-fA-F]{4})|([^u])|u|$)/gs, (_, hex?: string, simple?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const escaped = ESCAPES[simple ?? ""];
    if (escaped === undefined) isValid = false;
    return escaped ?? "";
  });
  return isValid ? text.toWellFormed() : undefined;
}
