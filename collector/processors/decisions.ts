/** What one stage decided, by the stage's place in its pipeline. */
export type Decisions = ReadonlyMap<number, Uint8Array>;

const HEADER_BYTES = 4;
const ENTRY_BYTES = 5;

/**
 * `fingerprint` as uint32, then per decision the stage (uint8), its length (uint32) and its bytes; little-endian. The
 * fingerprint is that of the settings: under other settings the rows and stages are not the same ones.
 */
export function encodeDecisions(fingerprint: number, decisions: Decisions): Uint8Array | undefined {
  if (decisions.size === 0) return undefined;
  let bytes = HEADER_BYTES;
  for (const { length } of decisions.values()) bytes += ENTRY_BYTES + length;
  const encoded = Buffer.alloc(bytes);
  encoded.writeUInt32LE(fingerprint, 0);
  let at = HEADER_BYTES;
  for (const [stage, decision] of decisions) {
    encoded.writeUInt8(stage, at);
    encoded.writeUInt32LE(decision.length, at + 1);
    encoded.set(decision, at + ENTRY_BYTES);
    at += ENTRY_BYTES + decision.length;
  }
  return encoded;
}

/** undefined when they were made under settings with another fingerprint, or are none. */
export function decodeDecisions(fingerprint: number, encoded: Uint8Array): Decisions | undefined {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== fingerprint) return undefined;
  const decisions = new Map<number, Uint8Array>();
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    if (at + ENTRY_BYTES > bytes.length) return undefined;
    const end = at + ENTRY_BYTES + bytes.readUInt32LE(at + 1);
    if (end > bytes.length) return undefined;
    decisions.set(bytes.readUInt8(at), bytes.subarray(at + ENTRY_BYTES, end));
    at = end;
  }
  return decisions;
}
