import { TemplateProblem } from "./template-problem.ts";

/** Text as it is, or where in the template an action is, without its braces. */
export type TemplateItem =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly start: number; readonly end: number };

/** Splits text from actions, and trims as `{{-` and `-}}` say. Comments are gone. Throws {@link TemplateProblem}. */
export function* splitTemplate(text: string): Generator<TemplateItem> {
  let from = 0;
  let trimsNext = false;
  for (;;) {
    const open = text.indexOf("{{", from);
    const raw = text.slice(from, open === -1 ? text.length : open);
    const trimsBefore = open !== -1 && /^-\s/.test(text.slice(open + 2, open + 4));
    let plain = trimsNext ? raw.trimStart() : raw;
    if (trimsBefore) plain = plain.trimEnd();
    if (plain !== "") yield { kind: "text", text: plain };
    if (open === -1) return;
    const start = open + 2 + (trimsBefore ? 1 : 0);
    const close = closeOf(text, start);
    trimsNext = /\s-$/.test(text.slice(Math.max(start, close - 2), close));
    const end = trimsNext ? close - 1 : close;
    if (!/^\s*\/\*/.test(text.slice(start, end))) yield { kind: "action", start, end };
    from = close + 2;
  }
}

const SKIPPED = /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`|'(?:[^'\\\n]|\\[^\n])*'|\/\*.*?\*\/|[^}"`'/]+|./sy;

/** Where the action that begins at `start` has its `}}`. */
function closeOf(text: string, start: number): number {
  for (let at = start; at < text.length; ) {
    if (text.startsWith("}}", at)) return at;
    SKIPPED.lastIndex = at;
    const skipped = SKIPPED.exec(text)?.[0] ?? "";
    if (at === start && skipped === "/" && text[at + 1] === "*") throw new TemplateProblem("unclosed comment", at);
    if (skipped === '"') throw new TemplateProblem("unterminated quoted string", at);
    if (skipped === "`") throw new TemplateProblem("unterminated raw quoted string", at);
    if (skipped === "'") throw new TemplateProblem("unterminated character constant", at);
    at += skipped.length;
  }
  throw new TemplateProblem("unclosed action", text.length);
}
