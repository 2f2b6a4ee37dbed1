import { InvalidInputError } from "@sightline/model/errors.ts";
import { decodeUtf8, decodeUtf8Lossy } from "./utf8.ts";

/** Protobuf wire types, the low three bits of a tag. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
const GROUP_START = 3;
const GROUP_END = 4;
export const FIXED32 = 5;

/** What protobuf implementations agree on as the deepest nesting they follow. */
export const DEFAULT_MAX_DEPTH = 100;

const TWO_TO_32 = 4_294_967_296;

export type WireReaderOptions = {
  /** Where the message lies in `bytes`; the whole of it when absent. */
  readonly start?: number;
  readonly end?: number;
  /** Messages nested deeper than this are refused. */
  readonly maxDepth?: number;
};

/**
 * Walks protobuf bytes without building objects (protobuf.dev, "Encoding"). `nextTag` yields 0 at the end of the
 * current message; nested messages are walked between `enter` and `leave`:
 *
 *     for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
 *       if (tag === ((1 << 3) | BYTES)) {
 *         const outer = reader.enter("resource");
 *         …
 *         reader.leave(outer);
 *       } else reader.skip(tag);
 *     }
 *
 * `pos` and `end` are open so that a hot loop may scan `bytes` by hand: it must keep `pos <= end <= bytes.length`, and
 * it may throw {@link WireReader.fail}. Every read throws `InvalidInputError` naming the place when the bytes end early
 * or are malformed; no read leaves `[pos, end)`.
 */
export class WireReader {
  bytes: Uint8Array;
  /** Over the same memory as `bytes`, with the same offsets. */
  view: DataView;
  pos: number;
  /** End of the current message, exclusive. */
  end: number;
  /** The halves of the last 64-bit value that {@link readVarint64} or {@link readFixed64} read, unsigned. */
  low = 0;
  high = 0;
  readonly #message: string;
  readonly #maxDepth: number;
  /** Names of the fields we are inside of, for messages; entries at and above `#depth` are left over. */
  readonly #path: string[] = [];
  #depth = 0;
  #lastTag = 0;

  /** `message` is the name of the outermost message in error texts, e.g. `ExportLogsServiceRequest`. */
  constructor(bytes: Uint8Array, message: string, options: WireReaderOptions = {}) {
    this.bytes = bytes;
    this.pos = options.start ?? 0;
    this.end = options.end ?? bytes.length;
    this.#message = message;
    this.#maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Starts over on other bytes, so that one reader can serve many requests. */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.pos = start;
    this.end = end;
    this.#depth = 0;
    this.#lastTag = 0;
  }

  /** The next `(field << 3) | wireType`, 0 at the end of the message. */
  nextTag(): number {
    if (this.pos >= this.end) return 0;
    const first = this.bytes[this.pos] as number;
    if (first < 0x80 && first >= 8) {
      this.pos++;
      this.#lastTag = first;
      return first;
    }
    return this.#longTag();
  }

  #longTag(): number {
    this.readVarint64();
    const tag = this.low;
    if (this.high !== 0 || tag >>> 3 === 0) throw this.fail("illegal field number");
    this.#lastTag = tag;
    return tag;
  }

  /**
   * Enters the length-delimited field whose tag was just read and returns what {@link leave} wants. `field` names it
   * in messages.
   */
  enter(field: string): number {
    const outer = this.end;
    const length = this.#length();
    if (this.#depth >= this.#maxDepth)
      throw this.fail(`nested deeper than ${this.#maxDepth} levels (limits.max_depth)`);
    this.#path[this.#depth++] = field;
    this.end = this.pos + length;
    return outer;
  }

  /** Goes on behind the message entered last, wherever in it the reader stands. */
  leave(outer: number): void {
    this.pos = this.end;
    this.end = outer;
    this.#depth--;
  }

  /** Reads the length of a bytes field and steps over it: its content is `[pos - length, pos)`. Returns the length. */
  skipBytes(): number {
    const length = this.#length();
    this.pos += length;
    return length;
  }

  #length(): number {
    const first = this.pos < this.end ? (this.bytes[this.pos] as number) : 0x80;
    let length = first;
    if (first < 0x80) this.pos++;
    else {
      this.readVarint64();
      length = this.high * TWO_TO_32 + this.low;
    }
    if (length > this.end - this.pos) throw this.fail(`length ${length} runs past the end`);
    return length;
  }

  /** Steps over the value of a field nobody asked for. */
  skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        this.readVarint64();
        return;
      case FIXED64:
        this.#need(8);
        this.pos += 8;
        return;
      case BYTES:
        this.skipBytes();
        return;
      case FIXED32:
        this.#need(4);
        this.pos += 4;
        return;
      case GROUP_START:
        this.#skipGroup(tag >>> 3);
        return;
      default:
        throw this.fail(`unexpected wire type ${tag & 7}`);
    }
  }

  #skipGroup(field: number): void {
    const open = [field];
    while (open.length > 0) {
      const tag = this.nextTag();
      if (tag === 0) throw this.fail("group without an end");
      if ((tag & 7) === GROUP_START) {
        open.push(tag >>> 3);
        if (this.#depth + open.length > this.#maxDepth)
          throw this.fail(`nested deeper than ${this.#maxDepth} levels (limits.max_depth)`);
      } else if ((tag & 7) === GROUP_END) {
        if (open.pop() !== tag >>> 3) throw this.fail("group ends under another field number");
      } else this.skip(tag);
    }
  }

  /** Throws unless the tag read last has this wire type. */
  expect(tag: number, wireType: number): void {
    if ((tag & 7) !== wireType) throw this.fail(`wire type ${tag & 7} where ${wireType} is expected`);
  }

  /** Reads a varint of up to 64 bits into {@link low} and {@link high}. */
  readVarint64(): void {
    const { bytes, end } = this;
    let pos = this.pos;
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (pos >= end) throw this.fail("truncated varint");
      const byte = bytes[pos++] as number;
      // Ten bytes hold 70 bits: the last may only carry bit 63.
      if (shift === 63 && byte > 1) throw this.fail("varint is longer than 64 bits");
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift > 28) high |= bits << (shift - 32);
      else if (shift === 28) high |= bits >>> 4;
      if (byte < 0x80) break;
    }
    this.pos = pos;
    this.low = low >>> 0;
    this.high = high >>> 0;
  }

  /** The low 32 bits of a varint, unsigned; as protobuf does it, higher bits are cut off. */
  uint32(): number {
    const first = this.pos < this.end ? (this.bytes[this.pos] as number) : 0x80;
    if (first < 0x80) {
      this.pos++;
      return first;
    }
    this.readVarint64();
    return this.low;
  }

  /** int32 and enums. */
  int32(): number {
    return this.uint32() | 0;
  }

  sint32(): number {
    const zigzag = this.uint32();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  bool(): boolean {
    this.readVarint64();
    return (this.low | this.high) !== 0;
  }

  /** As a double: exact up to 2^53. */
  uint64AsNumber(): number {
    this.readVarint64();
    return this.high * TWO_TO_32 + this.low;
  }

  /** As a double: exact within ±2^53. */
  int64AsNumber(): number {
    this.readVarint64();
    return (this.high | 0) * TWO_TO_32 + this.low;
  }

  /** As a double: exact within ±2^53. */
  sint64AsNumber(): number {
    this.readVarint64();
    const { low, high } = this;
    const negative = low & 1;
    const magnitude = (high >>> 1) * TWO_TO_32 + (((low >>> 1) | (high << 31)) >>> 0);
    return negative ? -magnitude - 1 : magnitude;
  }

  uint64(): bigint {
    this.readVarint64();
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  /** Reads eight bytes into {@link low} and {@link high}. */
  readFixed64(): void {
    this.#need(8);
    this.low = this.view.getUint32(this.pos, true);
    this.high = this.view.getUint32(this.pos + 4, true);
    this.pos += 8;
  }

  fixed64(): bigint {
    this.#need(8);
    const value = this.view.getBigUint64(this.pos, true);
    this.pos += 8;
    return value;
  }

  sfixed64(): bigint {
    return BigInt.asIntN(64, this.fixed64());
  }

  /** As a double: exact up to 2^53. */
  fixed64AsNumber(): number {
    this.readFixed64();
    return this.high * TWO_TO_32 + this.low;
  }

  /** As a double: exact within ±2^53. */
  sfixed64AsNumber(): number {
    this.readFixed64();
    return (this.high | 0) * TWO_TO_32 + this.low;
  }

  fixed32(): number {
    this.#need(4);
    const value = this.view.getUint32(this.pos, true);
    this.pos += 4;
    return value;
  }

  /** NaNs may lose their bit pattern; where the staleness marker can occur use {@link readFixed64}. */
  double(): number {
    this.#need(8);
    const value = this.view.getFloat64(this.pos, true);
    this.pos += 8;
    return value;
  }

  float(): number {
    this.#need(4);
    const value = this.view.getFloat32(this.pos, true);
    this.pos += 4;
    return value;
  }

  /** A view of the request's memory, valid as long as that is. */
  bytesView(): Uint8Array {
    const length = this.skipBytes();
    return this.bytes.subarray(this.pos - length, this.pos);
  }

  /** A string field. Throws when it is not valid UTF-8, as proto3 demands. */
  string(): string {
    const length = this.skipBytes();
    const text = decodeUtf8(this.bytes, this.pos - length, this.pos);
    if (text === undefined) throw this.fail("string is not valid UTF-8");
    return text;
  }

  /** A string field in which invalid sequences become U+FFFD. */
  stringLossy(): string {
    const length = this.skipBytes();
    return decodeUtf8Lossy(this.bytes, this.pos - length, this.pos);
  }

  /** A string field, undefined when it is not valid UTF-8; the reader goes on behind it. */
  stringOrUndefined(): string | undefined {
    const length = this.skipBytes();
    return decodeUtf8(this.bytes, this.pos - length, this.pos);
  }

  #need(count: number): void {
    if (this.end - this.pos < count) throw this.fail(`truncated: ${count} bytes expected`);
  }

  /** An error that says where the reader stands: `…Request.resource_logs field 2: <problem> at byte 17`. */
  fail(problem: string): InvalidInputError {
    const path = [this.#message, ...this.#path.slice(0, this.#depth)].join(".");
    const field = this.#lastTag === 0 ? "" : ` field ${this.#lastTag >>> 3}`;
    return new InvalidInputError(`malformed protobuf in ${path}${field}: ${problem} at byte ${this.pos}`);
  }
}
