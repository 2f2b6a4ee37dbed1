import type { Utf8Texts } from "@sightline/model/utf8-texts.ts";

/** A byte that goes on with a character: 10xxxxxx. */
const CONTINUATION_MASK = 0xc0;
const CONTINUATION = 0x80;

/** Whether two neighbours make a character only together. */
export function hasTornCharacter({ bytes, ends }: Pick<Utf8Texts, "bytes" | "ends">): boolean {
  for (let i = 0; i + 1 < ends.length; i++) {
    const next = bytes[ends[i] as number];
    if (next !== undefined && (next & CONTINUATION_MASK) === CONTINUATION) return true;
  }
  return false;
}
