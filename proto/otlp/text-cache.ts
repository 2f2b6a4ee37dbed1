/** Longer texts are rarely said twice. */
const MAX_BYTES = 48;
const SLOTS = 4096;

/**
 * Texts by their UTF-8 bytes. Attribute names and most values come over and over, in one request and in the next; a hit
 * costs a third of decoding and makes equal texts the same object. Bounded: a slot keeps the text it saw last.
 */
export class TextCache {
  readonly #texts: string[] = new Array<string>(SLOTS).fill("");

  /** The text in `[start, end)`, invalid UTF-8 replaced by U+FFFD. */
  text(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return "";
    if (length > MAX_BYTES) return bytes.toString("utf8", start, end);
    const slot = slotOf(bytes, start, length);
    const known = this.#texts[slot] as string;
    if (known.length === length && isAscii(known, bytes, start)) return known;
    const text = bytes.toString("utf8", start, end);
    this.#texts[slot] = text;
    return text;
  }
}

/** Mixes up to eight bytes from all over the text: enough to tell apart, and cheap for long ones. */
function slotOf(bytes: Uint8Array, start: number, length: number): number {
  const step = length <= 8 ? 1 : length >>> 3;
  const end = start + length;
  let hash = length;
  for (let i = start; i < end; i += step) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (bytes[end - 1] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

/** Whether the bytes from `start` on spell `text`, which then is ASCII. */
export function isAscii(text: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[start + i] as number;
    if (byte >= 0x80 || text.charCodeAt(i) !== byte) return false;
  }
  return true;
}
