import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { ContentEncoding, WireRequest } from "@sightline/proto/wire-request.ts";
import type { TAIL_DECISION } from "../tail-sampling/tail-decision.ts";

/**
 * One request in a segment, little-endian:
 *
 *     0  marker        8 random bytes of this segment
 *     8  crc32         uint32, of everything after it
 *    12  bodyBytes     uint32
 *    16  position      uint64
 *    24  receivedAtMs  float64
 *    32  version       uint8, 1 or 2; the highest bit: its spans wait for the decision about their trace
 *    33  tenantBytes, protocolBytes, encodingBytes   uint8 each
 *    36  tenant, protocol, encoding as ASCII
 *        version 2 only: decisionBytes as uint32, then the decisions (processors/decisions.ts)
 *        the body as it came
 *
 * The marker is the reason why what a client sends can never be taken for a record, however damaged the file is: it is
 * not known outside. It also tells the records of a segment from what its recycled file held before.
 */
export const RECORD_HEADER_BYTES = 36;
export const MARKER_BYTES = 8;
/** Written after the records of a group where the file goes on: a recycled one still holds old bytes there. */
export const TERMINATOR = Buffer.alloc(8);
const CRC_START = 12;
const VERSION = 1;
const VERSION_WITH_DECISIONS = 2;
const HELD = 0x80;
const LENGTH_BYTES = 4;

/** A request, or a decision about spans of requests before it, which has a body of its own. */
export type LoggedRequest = Omit<WireRequest, "protocol"> & {
  readonly protocol: WireRequest["protocol"] | typeof TAIL_DECISION;
  /** What was decided about its rows that can't be found out again from it; absent in the usual case. */
  readonly decisions?: Uint8Array | undefined;
  /** Its spans go to the store when it is decided about their traces. */
  readonly isHeld?: boolean | undefined;
};
export type WalEntry = { readonly position: number; readonly request: LoggedRequest };
/** `header` and `body` are written one after the other; the body is the request's own memory. */
export type EncodedRecord = { readonly header: Buffer; readonly body: Uint8Array; readonly bytes: number };

export function newMarker(): Buffer {
  return randomBytes(MARKER_BYTES);
}

/** Bytes that {@link encodeRecord} will make of a request. */
export function recordBytes(request: LoggedRequest): number {
  return RECORD_HEADER_BYTES + namesBytes(request) + decisionsBytes(request) + request.body.length;
}

function decisionsBytes({ decisions }: LoggedRequest): number {
  return decisions ? LENGTH_BYTES + decisions.length : 0;
}

function namesBytes({ tenant, protocol, encoding }: LoggedRequest): number {
  return tenant.length + protocol.length + encoding.length;
}

export function encodeRecord(marker: Uint8Array, position: number, request: LoggedRequest): EncodedRecord {
  const { tenant, protocol, encoding, body, decisions } = request;
  const namesEnd = RECORD_HEADER_BYTES + namesBytes(request);
  const header = Buffer.allocUnsafe(namesEnd + decisionsBytes(request));
  header.set(marker, 0);
  header.writeUInt32LE(body.length, 12);
  header.writeBigUInt64LE(BigInt(position), 16);
  header.writeDoubleLE(request.receivedAtMs, 24);
  header[32] = (decisions ? VERSION_WITH_DECISIONS : VERSION) | (request.isHeld ? HELD : 0);
  header[33] = tenant.length;
  header[34] = protocol.length;
  header[35] = encoding.length;
  header.write(tenant + protocol + encoding, RECORD_HEADER_BYTES, "latin1");
  if (decisions) {
    header.writeUInt32LE(decisions.length, namesEnd);
    header.set(decisions, namesEnd + LENGTH_BYTES);
  }
  header.writeUInt32LE(crc32(body, crc32(header.subarray(CRC_START))), 8);
  return { header, body, bytes: header.length + body.length };
}

export type ScannedRecord =
  | { readonly kind: "record"; readonly entry: WalEntry; readonly end: number }
  /** Bytes from `start` to `end` are of no use; a good record follows at `end`. */
  | { readonly kind: "corrupt"; readonly start: number; readonly end: number }
  /** Nothing good from `start` on; `torn`: but something, so that a record was lost there. Always the last one. */
  | { readonly kind: "end"; readonly start: number; readonly torn: boolean };

/**
 * Reads the records of (a part of) a segment. After a damaged one it goes on with the next good one. Bodies are views
 * of `buffer`. Positions ascend: a record that is not above `after` is damage, too.
 */
export function* scanRecords(buffer: Buffer, marker: Buffer, after: number): Generator<ScannedRecord> {
  let offset = 0;
  let last = after;
  while (true) {
    const record = readRecord(buffer, offset, marker, last);
    if (record) {
      yield record;
      offset = record.end;
      last = record.entry.position;
      continue;
    }
    const next = findRecord(buffer, offset + 1, marker, last);
    if (next === undefined) {
      yield { kind: "end", start: offset, torn: !isBlank(buffer, offset) };
      return;
    }
    yield { kind: "corrupt", start: offset, end: next };
    offset = next;
  }
}

function findRecord(buffer: Buffer, from: number, marker: Buffer, after: number): number | undefined {
  for (let at = buffer.indexOf(marker, from); at >= 0; at = buffer.indexOf(marker, at + 1)) {
    if (readRecord(buffer, at, marker, after)) return at;
  }
  return undefined;
}

/** After the last record the file ends, or {@link TERMINATOR} follows. */
function isBlank(buffer: Buffer, offset: number): boolean {
  for (let i = offset; i < Math.min(offset + TERMINATOR.length, buffer.length); i++) if (buffer[i] !== 0) return false;
  return true;
}

function startsWith(buffer: Buffer, offset: number, marker: Buffer): boolean {
  return buffer.compare(marker, 0, MARKER_BYTES, offset, offset + MARKER_BYTES) === 0;
}

type GoodRecord = Extract<ScannedRecord, { kind: "record" }>;

function readRecord(buffer: Buffer, offset: number, marker: Buffer, after: number): GoodRecord | undefined {
  if (offset + RECORD_HEADER_BYTES > buffer.length || !startsWith(buffer, offset, marker)) return undefined;
  const tenantStart = offset + RECORD_HEADER_BYTES;
  const protocolStart = tenantStart + (buffer[offset + 33] as number);
  const encodingStart = protocolStart + (buffer[offset + 34] as number);
  const namesEnd = encodingStart + (buffer[offset + 35] as number);
  const version = (buffer[offset + 32] as number) & ~HELD;
  if (version !== VERSION && version !== VERSION_WITH_DECISIONS) return undefined;
  let bodyStart = namesEnd;
  if (version === VERSION_WITH_DECISIONS) {
    if (namesEnd + LENGTH_BYTES > buffer.length) return undefined;
    bodyStart += LENGTH_BYTES + buffer.readUInt32LE(namesEnd);
  }
  const end = bodyStart + buffer.readUInt32LE(offset + 12);
  if (end > buffer.length) return undefined;
  if (crc32(buffer.subarray(offset + CRC_START, end)) !== buffer.readUInt32LE(offset + 8)) return undefined;
  const position = Number(buffer.readBigUInt64LE(offset + 16));
  if (position <= after) return undefined;
  const request: LoggedRequest = {
    // Only names that were valid when they were written have this checksum.
    tenant: buffer.toString("latin1", tenantStart, protocolStart) as TenantId,
    protocol: buffer.toString("latin1", protocolStart, encodingStart) as LoggedRequest["protocol"],
    encoding: buffer.toString("latin1", encodingStart, namesEnd) as ContentEncoding,
    receivedAtMs: buffer.readDoubleLE(offset + 24),
    body: buffer.subarray(bodyStart, end),
    ...((buffer[offset + 32] as number) & HELD ? { isHeld: true } : {}),
    ...(bodyStart > namesEnd ? { decisions: buffer.subarray(namesEnd + LENGTH_BYTES, bodyStart) } : {}),
  };
  return { kind: "record", entry: { position, request }, end };
}
