const MARK = "…";

/** As Alertmanager's TruncateInRunes: at most `max` characters (code points), the last of them `…` where it was cut. */
export function truncateRunes(text: string, max: number): { readonly text: string; readonly isCut: boolean } {
  // A text has at least as many code units as code points.
  if (text.length <= max) return { text, isCut: false };
  const runes = [...text];
  if (runes.length <= max) return { text, isCut: false };
  if (max <= 3) return { text: runes.slice(0, max).join(""), isCut: true };
  return { text: runes.slice(0, max - 1).join("") + MARK, isCut: true };
}

/** As Alertmanager's TruncateInBytes: at most `max` bytes of UTF-8, no character broken, and `…` where it was cut. */
export function truncateBytes(text: string, max: number): { readonly text: string; readonly isCut: boolean } {
  const bytes = Buffer.from(text);
  if (bytes.length <= max) return { text, isCut: false };
  if (max < 3) return { text: ".".repeat(max), isCut: true };
  let end = max - Buffer.byteLength(MARK);
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return { text: bytes.toString("utf8", 0, end) + MARK, isCut: true };
}
