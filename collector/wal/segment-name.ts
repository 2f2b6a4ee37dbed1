import { MARKER_BYTES } from "./record.ts";

/** A segment's file name holds all that is needed to read it: its lowest position and the marker of its records. */
export type SegmentName = { readonly first: number; readonly marker: Buffer };

const POSITION_DIGITS = 16;
const PATTERN = new RegExp(`^(\\d{${POSITION_DIGITS}})-([0-9a-f]{${2 * MARKER_BYTES}})\\.wal$`);

export function formatSegmentName({ first, marker }: SegmentName): string {
  return `${String(first).padStart(POSITION_DIGITS, "0")}-${marker.toString("hex")}.wal`;
}

export function parseSegmentName(fileName: string): SegmentName | undefined {
  const match = PATTERN.exec(fileName);
  return match ? { first: Number(match[1]), marker: Buffer.from(match[2] as string, "hex") } : undefined;
}
