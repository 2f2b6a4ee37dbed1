const PAD = 0x3d;
const LINE_ENDS: ReadonlySet<number> = new Set([0x0a, 0x0d]);
const DIGITS: ReadonlySet<number> = new Set(
  Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
);

/** Loki's base64Decode (pkg/logql/log/fmt.go): padding may be missing, and what is wrong is said in place of a text. */
export function base64Decode(text: string): string {
  const bytes = Buffer.from(text);
  const rest = bytes.length % 4;
  const padded = rest < 2 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest, PAD)]);
  const wrong = wrongByte(padded);
  return wrong === undefined
    ? Buffer.from(padded.toString("latin1"), "base64").toString()
    : `illegal base64 data at input byte ${wrong}`;
}

/** Where Go's decoder stops (encoding/base64: decodeQuantum); undefined when it does not. Line ends are passed over. */
function wrongByte(bytes: Uint8Array): number | undefined {
  let digits = 0;
  let at = 0;
  for (; at < bytes.length && bytes[at] !== PAD; at++) {
    const byte = bytes[at] as number;
    if (DIGITS.has(byte)) digits++;
    else if (!LINE_ENDS.has(byte)) return at;
  }
  const inQuantum = digits % 4;
  if (at === bytes.length) return inQuantum === 0 ? undefined : at - inQuantum;
  if (inQuantum < 2) return at;
  at = afterLineEnds(bytes, at + 1);
  if (inQuantum === 2) {
    if (at === bytes.length) return at;
    if (bytes[at] !== PAD) return at - 1;
    at = afterLineEnds(bytes, at + 1);
  }
  return at < bytes.length ? at : undefined;
}

function afterLineEnds(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && LINE_ENDS.has(bytes[at] as number)) at++;
  return at;
}
