import type { AttributeType } from "@sightline/model/attributes.ts";
import type { ParsedAttributes } from "./parsed-attributes.ts";

/** `name=value` or `name="quoted \"value\""`, at the beginning or after a blank. No repetition is within another. */
const PAIR = /(?<![^\s])([A-Za-z_][\w.\-/]*)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?![^\s])/g;
const INT = /^-?(?:0|[1-9]\d{0,14})$/;
const DOUBLE = /^-?(?:0|[1-9]\d{0,14})\.\d{1,15}$/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** Pairs wherever they are in the body; other words are no attributes. */
export function addLogfmtFields(body: string, attributes: ParsedAttributes): void {
  if (!body.includes("=")) return;
  for (const [, name = "", quoted, bare = ""] of body.matchAll(PAIR)) {
    if (quoted !== undefined) {
      const text = quoted.includes("\\") ? unescaped(quoted) : quoted;
      if (!attributes.add(name, "string", text)) return;
    } else if (bare !== "" && !attributes.add(name, typeOf(bare), bare)) return;
  }
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, character: string) => ESCAPES[character] ?? character);
}

/** Only what is written as the type's one form is. */
function typeOf(text: string): AttributeType {
  if (text === "true" || text === "false") return "bool";
  if (INT.test(text)) return "int";
  return DOUBLE.test(text) && String(Number(text)) === text ? "double" : "string";
}
