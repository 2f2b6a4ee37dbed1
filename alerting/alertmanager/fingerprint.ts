import type { LabelMap } from "../alert.ts";
import { sortedNames } from "./labels.ts";

const OFFSET_HIGH = 0xcbf29ce4;
const OFFSET_LOW = 0x84222325;
/** The prime of 64-bit FNV is 2^40 and this. */
const PRIME_LOW = 0x1b3;
const SEPARATOR = 0xff;

/**
 * Sixteen hexadecimal digits that name a label set: FNV-1a over its names and values in order, as Alertmanager and its clients
 * have it (prometheus/common/model/signature.go).
 */
export function fingerprint(labels: LabelMap): string {
  let high = OFFSET_HIGH;
  let low = OFFSET_LOW;
  const add = (byte: number) => {
    const mixed = low ^ byte;
    const first = (mixed & 0xffff) * PRIME_LOW;
    const second = (mixed >>> 16) * PRIME_LOW + (first >>> 16);
    high = (Math.imul(high, PRIME_LOW) + (second >>> 16) + (mixed << 8)) | 0;
    low = ((second & 0xffff) << 16) | (first & 0xffff);
  };
  for (const name of sortedNames(labels)) {
    for (const text of [name, labels[name] as string]) {
      if (isAscii(text)) for (let i = 0; i < text.length; i++) add(text.charCodeAt(i));
      else for (const byte of Buffer.from(text)) add(byte);
      add(SEPARATOR);
    }
  }
  return hex(high) + hex(low);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
