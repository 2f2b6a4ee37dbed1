/** `NAME=REST` of a flag. */
export function nameAndRest(text: string): [name: string, rest: string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new Error(`write NAME=…, not ${text}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The upper one of an even number; NaN of none. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
