/** Longer texts are worth a call into the engine even if they are ASCII. */
const MAX_BY_HAND = 24;

// ignoreBOM: a byte order mark inside a protobuf string is a character like any other.
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text in `[start, end)`, undefined when it is not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= MAX_BY_HAND) {
    const short = decodeShortAscii(bytes, start, end);
    if (short !== undefined) return short;
  }
  try {
    return strict.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

/** The text in `[start, end)`, with U+FFFD in the place of invalid sequences. */
export function decodeUtf8Lossy(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= MAX_BY_HAND) {
    const short = decodeShortAscii(bytes, start, end);
    if (short !== undefined) return short;
  }
  return lossy.decode(bytes.subarray(start, end));
}

function decodeShortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
