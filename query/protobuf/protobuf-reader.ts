import { InvalidInputError } from "@sightline/model/errors.ts";

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/**
 * Walks over the fields of a protobuf message. Every read is bounded by the message; what does not fit throws
 * {@link InvalidInputError}. Varints keep their lower 53 bits and sign: enough for what is read here.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  /** Of the current field. */
  field = 0;
  #wireType = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Goes to the next field; false at the end. Its value must be read or skipped before the next call. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = Number(this.#varint());
    this.field = Math.floor(tag / 8);
    this.#wireType = tag % 8;
    if (this.field === 0) throw malformed("a field has the number 0");
    return true;
  }

  /** An int64, enum or bool. */
  int(): number {
    this.#expect(VARINT);
    return Number(BigInt.asIntN(64, this.#varint()));
  }

  /** Numbers of a repeated field, packed or not. */
  *ints(): Generator<number> {
    if (this.#wireType === VARINT) {
      yield this.int();
      return;
    }
    const packed = this.message();
    while (packed.#at < packed.#end) yield Number(BigInt.asIntN(64, packed.#varint()));
  }

  string(): string {
    const { start, end } = this.#delimited();
    try {
      return UTF8.decode(this.#bytes.subarray(start, end));
    } catch (cause) {
      throw malformed("a text is not valid UTF-8", cause);
    }
  }

  /** A reader of a nested message. */
  message(): ProtobufReader {
    const { start, end } = this.#delimited();
    return new ProtobufReader(this.#bytes, start, end);
  }

  skip(): void {
    if (this.#wireType === VARINT) this.#varint();
    else if (this.#wireType === LENGTH_DELIMITED) this.#delimited();
    else if (this.#wireType === FIXED64) this.#advance(8);
    else if (this.#wireType === FIXED32) this.#advance(4);
    else throw malformed(`wire type ${this.#wireType} is not known`);
  }

  #delimited(): { start: number; end: number } {
    this.#expect(LENGTH_DELIMITED);
    const length = Number(this.#varint());
    const start = this.#at;
    this.#advance(length);
    return { start, end: this.#at };
  }

  #advance(length: number): void {
    if (length > this.#end - this.#at) throw malformed("a field is longer than what is left");
    this.#at += length;
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw malformed(`field ${this.field} has wire type ${this.#wireType}`);
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.#at >= this.#end) throw malformed("a number is cut off");
      const byte = this.#bytes[this.#at++] as number;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw malformed("a number is longer than ten bytes");
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function malformed(problem: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError(`malformed protobuf: ${problem}`, { cause });
}
