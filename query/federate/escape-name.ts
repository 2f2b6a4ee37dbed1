import type { Escaping } from "./exposition-format.ts";

const OLD_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** Can the name stand without quotes, as every name could before Prometheus 3? */
export function isOldName(name: string): boolean {
  return OLD_NAME.test(name);
}

/** A name of a metric or label for readers that may not know of other names (EscapeName in common's model/metric.go). */
export function escapeName(name: string, escaping: Escaping): string {
  if (name === "" || escaping === "allow-utf-8" || isOldName(name)) return name;
  const letters = [...name].map((letter, index) => escapeLetter(letter, index === 0, escaping));
  return (escaping === "values" ? "U__" : "") + letters.join("");
}

function escapeLetter(letter: string, isFirst: boolean, escaping: Escaping): string {
  const isPlain = isFirst ? /[a-zA-Z_:]/.test(letter) : /[a-zA-Z0-9_:]/.test(letter);
  if (escaping === "underscores") return isPlain ? letter : "_";
  if (letter === "_") return "__";
  if (escaping === "dots" && letter === ".") return "_dot_";
  if (isPlain) return letter;
  return escaping === "dots" ? "__" : `_${(letter.codePointAt(0) as number).toString(16)}_`;
}
