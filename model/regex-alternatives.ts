/** Text, with anything (`.*`) or anything but nothing (`.+`) before and after it, if that is allowed. */
export type RegexAlternative = { readonly text: string; readonly before: Gap; readonly after: Gap };
type Gap = "" | ".*" | ".+";

/** Characters that have no meaning in RE2 outside of brackets, and escaped punctuation. `.` counts as special. */
const ALTERNATIVE = /^(\.[*+])?((?:[^\\.+*?()[\]{}^$|]|\\[^\w\s])*)(\.[*+])?$/;

/** Characters that writing out a list may add to it. */
const MAX_ADDED = 4_096;

/** A list in parentheses, which stand for themselves where they are escaped, and what is before and after it, without bars. */
const LIST_WITHIN = /^((?:[^\\()|]|\\.)*)\((?:\?:)?((?:[^\\()]|\\.)*)\)(?![*+?{])((?:[^\\()|]|\\.)*)$/su;

/**
 * What `a|b\.c|d.*|.+e`-like lists have between their bars; with a pair of parentheses, as `x(a|b)-.+`, what that is written out
 * if it is not much longer. undefined for any other expression. Finding them matches as RE2 does where `.` is any character.
 */
export function regexAlternatives(source: string): readonly RegexAlternative[] | undefined {
  const [, start = "", list = source, end = ""] = LIST_WITHIN.exec(source) ?? [];
  const parts = splitAtBars(list);
  if ((start.length + end.length) * parts.length > MAX_ADDED) return undefined;
  const alternatives: RegexAlternative[] = [];
  for (const part of parts) {
    // Behind a `.` it would be read as part of that.
    if (/^[*+]/.test(part)) return undefined;
    const match = ALTERNATIVE.exec(start + part + end);
    if (!match) return undefined;
    const [, before = "", text = "", after = ""] = match;
    alternatives.push({ text: text.replace(/\\(.)/gsu, "$1"), before: before as Gap, after: after as Gap });
  }
  return alternatives;
}

function splitAtBars(list: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < list.length; i++) {
    if (list[i] === "\\") i++;
    else if (list[i] === "|") {
      parts.push(list.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, list.slice(from)];
}

export function matchesAlternative({ text, before, after }: RegexAlternative, whole: string): boolean {
  const spare = whole.length - text.length;
  const least = (before === ".+" ? 1 : 0) + (after === ".+" ? 1 : 0);
  if (spare < least) return false;
  if (before === "") return after === "" ? spare === 0 && whole === text : whole.startsWith(text);
  if (after === "") return whole.endsWith(text);
  // The first place leaves most behind it.
  const at = whole.indexOf(text, before === ".+" ? firstCharacterLength(whole) : 0);
  return at >= 0 && at + text.length + (after === ".+" ? 1 : 0) <= whole.length;
}

/** In code units, of which some characters take two. */
function firstCharacterLength(text: string): number {
  return (text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1;
}
