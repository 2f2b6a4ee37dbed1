/** Stands before numbers that JSON does not know. */
const ODD_NUMBER = "\u0000number ";

/** What processes tell each other, as JSON with every number in it. */
export function encodeShared(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value, encodeNumber));
}

/** Throws when it is something else. */
export function decodeShared(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString(), decodeNumber);
}

function encodeNumber(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? ODD_NUMBER + value : value;
}

function decodeNumber(_key: string, value: unknown): unknown {
  return typeof value === "string" && value.startsWith(ODD_NUMBER) ? Number(value.slice(ODD_NUMBER.length)) : value;
}
