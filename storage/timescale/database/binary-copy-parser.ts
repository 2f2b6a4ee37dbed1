import { CorruptionError } from "@sightline/model/errors.ts";

/** Takes the rows of a binary COPY. `offsets[i]` is where field i begins in `bytes`, `lengths[i]` its length, -1 for NULL. */
export interface CopyRowSink {
  row(bytes: Buffer, offsets: Int32Array, lengths: Int32Array): void;
}

const SIGNATURE_BYTES = 11;
const HEADER_BYTES = SIGNATURE_BYTES + 8;

/** Reads what COPY … TO STDOUT (FORMAT binary) gives, piece by piece, cut anywhere. */
export class BinaryCopyParser {
  readonly #sink: CopyRowSink;
  readonly #fields: number;
  readonly #offsets: Int32Array;
  readonly #lengths: Int32Array;
  #rest: Buffer | undefined;
  #inRows = false;
  #ended = false;

  constructor(fields: number, sink: CopyRowSink) {
    this.#fields = fields;
    this.#sink = sink;
    this.#offsets = new Int32Array(fields);
    this.#lengths = new Int32Array(fields);
  }

  /** Throws `CorruptionError` for what is no such stream. The piece must stay as it is only during the call. */
  push(piece: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, piece]) : piece;
    let at = this.#inRows ? 0 : this.#skipHeader(bytes);
    while (at >= 0 && !this.#ended) {
      const next = this.#row(bytes, at);
      if (next < 0) break;
      at = next;
    }
    const isDone = at === bytes.length || this.#ended;
    this.#rest = isDone ? undefined : Buffer.from(bytes.subarray(Math.max(0, at)));
  }

  /** -1: more is to come. */
  #skipHeader(bytes: Buffer): number {
    if (bytes.length < HEADER_BYTES) return -1;
    if (bytes.toString("latin1", 0, 6) !== "PGCOPY") throw new CorruptionError("not a binary COPY");
    const at = HEADER_BYTES + bytes.readInt32BE(SIGNATURE_BYTES + 4);
    if (at > bytes.length) return -1;
    this.#inRows = true;
    return at;
  }

  /** Where the next row begins; -1 when this one is not all there. */
  #row(bytes: Buffer, start: number): number {
    const end = bytes.length;
    if (start + 2 > end) return -1;
    const fields = ((bytes[start] as number) << 8) | (bytes[start + 1] as number);
    if (fields === 0xffff) {
      this.#ended = true;
      return -1;
    }
    if (fields !== this.#fields) throw new CorruptionError(`a row has ${fields} fields, not ${this.#fields}`);
    let at = start + 2;
    for (let field = 0; field < fields; field++) {
      if (at + 4 > end) return -1;
      const length =
        ((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number);
      at += 4;
      this.#offsets[field] = at;
      this.#lengths[field] = length;
      if (length > 0) at += length;
      if (at > end) return -1;
    }
    this.#sink.row(bytes, this.#offsets, this.#lengths);
    return at;
  }
}

/** A big-endian int8 that is exact as a double. */
export function readInt8(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
