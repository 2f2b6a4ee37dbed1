const START = /^0[xX]_?[0-9a-fA-F]?|^\.?[0-9]?/;
const DECIMAL_PART = /\.|[eE][+-]?|_|[0-9]+/y;
/** An `e` is taken for an exponent here, too, unless it follows another digit than the first. */
const HEXADECIMAL_PART = /\.|[eE][+-]?|_|[0-9a-fA-F]+/y;
const MARK = /^(?:[._]|[eE][+-]?)$/;
const AFTER_DOT = /[_.]/;
const AFTER_OTHER_MARK = /[._eE]/;
const WORD_CHARACTER = /[A-Za-z0-9_]/;

/**
 * How much of `text` from `start` on reads as a number, and whether that is one (it may still not have a value): scanNumber
 * of Prometheus' promql/parser/lex.go, whose length also decides where the rest of a duration begins.
 */
export function scanNumber(text: string, start: number): { readonly ok: boolean; readonly length: number } {
  const rest = text.slice(start);
  const isHexadecimal = /^0x/i.test(rest);
  const part = isHexadecimal ? HEXADECIMAL_PART : DECIMAL_PART;
  let at = START.exec(rest)?.[0].length ?? 0;
  const seen = new Set<string>();
  for (;;) {
    part.lastIndex = at;
    const mark = part.exec(rest)?.[0] ?? "";
    if (mark === "") return { ok: at > 0 && !WORD_CHARACTER.test(rest[at] ?? ""), length: at };
    const kind = (mark[0] as string).toLowerCase();
    if (seen.has(kind)) return { ok: false, length: at + 1 };
    at += mark.length;
    const follows = rest[at] ?? "";
    if (!MARK.test(mark)) continue;
    if ((kind === "." ? AFTER_DOT : AFTER_OTHER_MARK).test(follows)) return { ok: false, length: at + 1 };
    if (kind === "." ? isHexadecimal : follows === "") return { ok: false, length: at };
    if (kind !== "_") seen.add(kind);
  }
}
