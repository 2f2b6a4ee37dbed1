/** Where in a page of HTML a value stands: that decides how it is escaped. */
export type HtmlPlace =
  | { readonly kind: "text" }
  /** In a title or textarea, where there are no elements. */
  | { readonly kind: "rcdata" }
  | { readonly kind: "comment" }
  /** A name of an element or attribute. */
  | { readonly kind: "name" }
  | { readonly kind: "script"; readonly quote: string }
  | { readonly kind: "style" }
  | {
      readonly kind: "attribute";
      readonly type: "plain" | "url" | "script" | "style";
      /** "" without quotes. */
      readonly quote: string;
      /** What the template itself says in the value before. */
      readonly before: string;
    };

const URL_ATTRIBUTES = new Set(
  (
    "action archive background cite classid codebase data formaction href icon longdesc manifest ping poster profile " +
    "src usemap xmlns"
  ).split(" "),
);
const VOID_OF_TEXT = { script: "script", style: "style", title: "rcdata", textarea: "rcdata" } as const;

type State = "text" | "comment" | "tag" | "name" | "afterName" | "beforeValue" | "value" | "raw";

/**
 * Follows a page of HTML piece by piece, as html/template does when it reads a template. It is fed with what the template
 * says itself; values that were escaped for their place change nothing.
 */
export class HtmlContext {
  #state: State = "text";
  #element = "";
  #attribute = "";
  #quote = "";
  /** Of the attribute's value, or of the script. */
  #before = "";
  #commentStart = 0;
  /** Where the piece that is being fed begins in the output. */
  #at = 0;
  /** Parts of the output that are comments. */
  readonly comments: { readonly start: number; readonly end: number }[] = [];

  feed(piece: string): void {
    for (let i = 0; i < piece.length; ) i = this.#step(piece, i);
    this.#at += piece.length;
  }

  /** What was shown for a value: the parts of an address are told by what the template itself says of it. */
  feedValue(shown: string): void {
    this.#at += shown.length;
    if (this.#state === "beforeValue") this.#beginValue("");
  }

  place(): HtmlPlace {
    switch (this.#state) {
      case "text":
        return { kind: "text" };
      case "comment":
        return { kind: "comment" };
      case "raw": {
        const kind = VOID_OF_TEXT[this.#element as keyof typeof VOID_OF_TEXT];
        if (kind === "script") return { kind, quote: openQuote(this.#before) };
        return { kind };
      }
      case "beforeValue":
        return { kind: "attribute", type: attributeType(this.#attribute), quote: "", before: "" };
      case "value":
        return { kind: "attribute", type: attributeType(this.#attribute), quote: this.#quote, before: this.#before };
      default:
        return { kind: "name" };
    }
  }

  #step(piece: string, i: number): number {
    switch (this.#state) {
      case "text":
        return this.#text(piece, i);
      case "comment": {
        const end = piece.indexOf("-->", i);
        if (end === -1) return piece.length;
        this.comments.push({ start: this.#commentStart, end: this.#at + end + 3 });
        this.#state = "text";
        return end + 3;
      }
      case "raw":
        return this.#raw(piece, i);
      case "value":
        return this.#value(piece, i);
      default:
        return this.#tag(piece, i);
    }
  }

  #text(piece: string, i: number): number {
    const open = piece.indexOf("<", i);
    if (open === -1) return piece.length;
    if (piece.startsWith("<!--", open)) {
      this.#state = "comment";
      this.#commentStart = this.#at + open;
      return open + 4;
    }
    const name = /^<(\/?[a-zA-Z][^\s/>]*)/.exec(piece.slice(open, open + 64))?.[1];
    if (name === undefined) return open + 1;
    this.#element = name.toLowerCase();
    this.#state = "tag";
    return open + 1 + name.length;
  }

  #raw(piece: string, i: number): number {
    const end = piece.toLowerCase().indexOf(`</${this.#element}`, i);
    this.#before += piece.slice(i, end === -1 ? piece.length : end);
    if (end === -1) return piece.length;
    this.#state = "tag";
    const length = this.#element.length + 2;
    this.#element = `/${this.#element}`;
    return end + length;
  }

  #value(piece: string, i: number): number {
    const end = this.#quote === "" ? /[\s>]/g : new RegExp(this.#quote, "g");
    end.lastIndex = i;
    const found = end.exec(piece);
    this.#before += piece.slice(i, found ? found.index : piece.length);
    if (!found) return piece.length;
    this.#state = "tag";
    this.#before = "";
    return this.#quote === "" ? found.index : found.index + 1;
  }

  /** Inside of `<…>`, beside values. */
  #tag(piece: string, i: number): number {
    const char = piece[i] as string;
    if (this.#state === "beforeValue") {
      if (/\s/.test(char)) return i + 1;
      if (char === ">") return this.#endTag(i);
      const isQuoted = char === '"' || char === "'";
      this.#beginValue(isQuoted ? char : "");
      return isQuoted ? i + 1 : i;
    }
    if (char === ">") return this.#endTag(i);
    if (char === "=" && this.#state !== "tag") {
      this.#state = "beforeValue";
      return i + 1;
    }
    if (/[\s/]/.test(char)) {
      if (this.#state === "name") this.#state = "afterName";
      return i + 1;
    }
    if (this.#state !== "name") this.#attribute = "";
    this.#state = "name";
    this.#attribute += char.toLowerCase();
    return i + 1;
  }

  #beginValue(quote: string): void {
    this.#state = "value";
    this.#quote = quote;
    this.#before = "";
  }

  #endTag(i: number): number {
    this.#state = Object.hasOwn(VOID_OF_TEXT, this.#element) ? "raw" : "text";
    this.#before = "";
    return i + 1;
  }
}

function attributeType(name: string): "plain" | "url" | "script" | "style" {
  const plain = name.replace(/^(data-|[a-z]+:)/, "");
  if (name === "style") return "style";
  if (/^on/.test(plain)) return "script";
  return URL_ATTRIBUTES.has(plain) || /src|uri|url/.test(plain) ? "url" : "plain";
}

/** The quotation mark of the literal of JavaScript in which the text ends; "" when it ends in none. */
function openQuote(script: string): string {
  let open = "";
  for (let i = 0; i < script.length; i++) {
    const char = script[i] as string;
    if (open === "") open = /["'`]/.test(char) ? char : "";
    else if (char === "\\") i++;
    else if (char === open) open = "";
  }
  return open;
}
