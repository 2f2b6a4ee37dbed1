import { crc32 } from "node:zlib";

/** Who is active: hashes and times of the series of each metric. */
export type SavedSlots = ReadonlyMap<string, readonly { readonly hash: number; readonly seenMs: number }[]>;

const MAGIC = 0x534c4f31;
const SLOT_BYTES = 16;

/**
 * Magic, CRC-32 of the rest, then per metric: length of its name, its name, number of series, and of each its hash and the
 * time it was last seen as doubles. Little endian.
 */
export function encodeSlots(slots: SavedSlots): Buffer {
  const parts: Buffer[] = [];
  for (const [metric, series] of slots) {
    const name = Buffer.from(metric);
    const part = Buffer.alloc(8 + name.length + SLOT_BYTES * series.length);
    let at = part.writeUInt32LE(name.length, 0);
    at += name.copy(part, at);
    at = part.writeUInt32LE(series.length, at);
    for (const { hash, seenMs } of series) {
      at = part.writeDoubleLE(hash, at);
      at = part.writeDoubleLE(seenMs, at);
    }
    parts.push(part);
  }
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(crc32(body), 4);
  return Buffer.concat([head, body]);
}

/** undefined when the bytes are not whole: what is lost is only who came first. */
export function decodeSlots(bytes: Buffer): SavedSlots | undefined {
  if (bytes.length < 8 || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  const body = bytes.subarray(8);
  if (crc32(body) !== bytes.readUInt32LE(4)) return undefined;
  const slots = new Map<string, { hash: number; seenMs: number }[]>();
  for (let at = 0; at < body.length; ) {
    if (at + 4 > body.length) return undefined;
    const nameEnd = at + 4 + body.readUInt32LE(at);
    if (nameEnd + 4 > body.length) return undefined;
    const metric = body.toString("utf8", at + 4, nameEnd);
    const count = body.readUInt32LE(nameEnd);
    at = nameEnd + 4;
    if (at + SLOT_BYTES * count > body.length) return undefined;
    const series: { hash: number; seenMs: number }[] = [];
    for (let i = 0; i < count; i++, at += SLOT_BYTES) {
      series.push({ hash: body.readDoubleLE(at), seenMs: body.readDoubleLE(at + 8) });
    }
    slots.set(metric, series);
  }
  return slots;
}
