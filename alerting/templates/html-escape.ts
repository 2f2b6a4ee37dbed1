import { display, type GoValue, NamedText } from "@sightline/model/go-template/go-value.ts";
import { goJson, jsonValue } from "./go-json.ts";
import type { HtmlPlace } from "./html-context.ts";

/** What html/template writes in place of a value that has no business where it stands. */
const UNSAFE = "ZgotmplZ";

const ENTITIES: Readonly<Record<string, string>> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "&": "&amp;",
  "'": "&#39;",
  "+": "&#43;",
  "<": "&lt;",
  ">": "&gt;",
};

function escapeHtml(text: string): string {
  return text.replace(/[\0"&'+<>]/g, (char) => ENTITIES[char] as string);
}

/** For what has entities already. */
function escapeKeepingEntities(text: string): string {
  return text.replace(/[\0"'+<>]/g, (char) => ENTITIES[char] as string);
}

/** In a value without quotes, spaces and more would end it. */
function escapeUnquoted(text: string, isMarkup: boolean): string {
  if (text === "") return UNSAFE;
  const escaped = isMarkup ? escapeKeepingEntities(text) : escapeHtml(text);
  return escaped.replace(/[\t\n\v\f\r =`]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/**
 * What `html` and `urlquery` give at the end of a pipeline in a page. As html/template rearranges such pipelines, it counts
 * what they were given where another kind of escaping is due.
 */
export class EscapedText extends NamedText {
  readonly given: string;

  constructor(escaper: "html" | "urlquery", escaped: string, given: string) {
    super(escaper, escaped);
    this.given = given;
  }
}

/** The type that a function gave to a text: `template.HTML`, `template.URL`, or the name of what has escaped it. */
type Marked = { readonly text: string; readonly type: string };

function marked(value: GoValue): Marked {
  if (value instanceof NamedText) return { text: value.text, type: value.typeName };
  return { text: value === null ? "" : display(value), type: "" };
}

/** What html/template writes for a value at a place. Nil is nothing. */
export function escapeFor(place: HtmlPlace, value: GoValue): string {
  const { text, type } = marked(value);
  switch (place.kind) {
    case "text":
      return type === "template.HTML" || type === "html" ? text : escapeHtml(text);
    case "rcdata":
      return type === "template.HTML" || type === "html" ? escapeKeepingEntities(text) : escapeHtml(text);
    case "comment":
      return "";
    case "name":
      return /^[a-zA-Z0-9]+$/.test(text) && !/^(on|style|src|href|action|formaction)/i.test(text) ? text : UNSAFE;
    case "script":
      return inScript(value, place.quote);
    case "style":
      return inStyle(text);
    case "attribute":
      return inAttribute(place, value, { text, type });
  }
}

function inAttribute(place: Extract<HtmlPlace, { kind: "attribute" }>, value: GoValue, { text, type }: Marked): string {
  const isMarkup = type === "template.HTML";
  const given = value instanceof EscapedText ? value.given : text;
  const unescaped = type === "html" ? given : text;
  if (type === "html" && place.type === "plain") return place.quote === "" ? escapeUnquoted(text, false) : text;
  let inner: string;
  if (place.type === "url")
    inner = inUrl(place.before, type === "html" ? { text: given, type: "" } : { text, type }, given);
  else if (place.type === "script") inner = inScript(value instanceof EscapedText ? unescaped : value, "");
  else if (place.type === "style") inner = inStyle(unescaped);
  else inner = isMarkup ? text.replace(/<[^>]*>/g, "") : text;
  const keeps = isMarkup && place.type === "plain";
  if (place.quote === "") return escapeUnquoted(inner, keeps);
  return keeps ? escapeKeepingEntities(inner) : escapeHtml(inner);
}

function inUrl(before: string, { text, type }: Marked, given: string): string {
  const isTrusted = type === "template.URL";
  const isUnsafe = before === "" && !isTrusted && !isSafeUrl(given);
  if (type === "urlquery") return isUnsafe ? `%23${UNSAFE}` : text;
  if (isUnsafe) return `#${UNSAFE}`;
  const isPart = /[?#]/.test(before);
  return isPart && !isTrusted ? percentEncode(text, false) : percentEncode(text, true);
}

/** No scheme, or one that runs nothing. */
function isSafeUrl(url: string): boolean {
  const scheme = /^([^:/]*):/.exec(url)?.[1];
  return scheme === undefined || /^(https?|mailto)$/i.test(scheme);
}

/** `isWhole`: it may have what URLs are made of, and what is encoded already. */
function percentEncode(text: string, isWhole: boolean): string {
  let out = "";
  for (const [i, byte] of Buffer.from(text).entries()) {
    const char = String.fromCharCode(byte);
    const isKept =
      /[a-zA-Z0-9\-._~]/.test(char) ||
      (isWhole && /[!#$&*+,/:;=?@[\]]/.test(char)) ||
      (isWhole && isEncoded(text, i, byte));
    out += isKept ? char : `%${byte.toString(16).padStart(2, "0")}`;
  }
  return out;
}

function isEncoded(text: string, at: number, byte: number): boolean {
  return (
    byte === 0x25 &&
    /^%[0-9a-fA-F]{2}/.test(
      Buffer.from(text)
        .subarray(at, at + 3)
        .toString("latin1"),
    )
  );
}

const SHORT: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "/": "\\/",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
};

/** A value of JSON, or in a literal its text. */
function inScript(value: GoValue, quote: string): string {
  if (quote === "") {
    try {
      return ` ${goJson(jsonValue(value))} `.trim();
    } catch {
      return " null ";
    }
  }
  const { text } = marked(value);
  return text.replace(/[\p{Cc}"&'+/<>`\\\u2028\u2029]/gu, (char) => {
    const short = SHORT[char];
    if (short) return short;
    const code = char.charCodeAt(0);
    return code > 0xff ? `\\u${code.toString(16)}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

function inStyle(text: string): string {
  if (/[\0"'()/;@[\\\]`{}<>]|--/.test(text)) return UNSAFE;
  return /expression|mozbinding/i.test(text.replace(/[^a-zA-Z0-9_-]/g, "")) ? UNSAFE : text;
}
