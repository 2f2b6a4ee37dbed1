/** Character by character, as Go does: no character becomes several, whatever stands beside it. */
function eachCharacter(text: string, change: (char: string) => string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII changes alike
  if (/^[\x00-\x7f]*$/.test(text)) return change(text);
  return text.replaceAll(/\P{ASCII}|\p{ASCII}+/gu, (part) => {
    const changed = change(part);
    return part < "\u0080" || [...changed].length === 1 ? changed : (SINGLE.get(part) ?? part);
  });
}
/** Characters that JavaScript makes two of, and Go one. */
const SINGLE: ReadonlyMap<string, string> = new Map([["\u0130", "i"]]);

/** strings.ToLower. */
export function goToLower(text: string): string {
  return eachCharacter(text, (part) => part.toLowerCase());
}

/** strings.ToUpper. */
export function goToUpper(text: string): string {
  return eachCharacter(text, (part) => part.toUpperCase());
}

/** strings.Title: the first letter of every word in upper case. */
export function goTitle(text: string): string {
  return text.replaceAll(/(?<![\p{L}\p{Nd}_'])\p{L}/gu, goToUpper);
}

/** url.QueryEscape. */
export function urlEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
