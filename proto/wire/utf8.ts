import { isUtf8 } from "node:buffer";

/** V8 joins characters into one flat string up to here; longer ones become trees, which cost again when they are hashed. */
const MAX_BY_HAND = 12;

// ignoreBOM: a byte order mark inside a protobuf string is a character like any other.
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
const { latin1Slice, utf8Slice } = Buffer.prototype;

/** The text in `[start, end)`, undefined when it is not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  const ascii = decodeAscii(bytes, start, end);
  if (ascii !== undefined) return ascii;
  // A decoder that throws takes microseconds for each text that is none, and a request may have as many as it has bytes.
  return isUtf8(bytes.subarray(start, end)) ? utf8Slice.call(bytes as Buffer, start, end) : undefined;
}

/** The text in `[start, end)`, with U+FFFD in the place of invalid sequences. */
export function decodeUtf8Lossy(bytes: Uint8Array, start: number, end: number): string {
  return decodeAscii(bytes, start, end) ?? lossy.decode(bytes.subarray(start, end));
}

/** Most texts are ASCII: undefined for those that are not. */
function decodeAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= MAX_BY_HAND) {
    let text = "";
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte >= 0x80) return undefined;
      text += String.fromCharCode(byte);
    }
    return text;
  }
  for (let i = start; i < end; i++) if ((bytes[i] as number) >= 0x80) return undefined;
  // The method works on any array of bytes, not only on buffers.
  return latin1Slice.call(bytes as Buffer, start, end);
}
