import { ProtobufWriter } from "../protobuf/protobuf-writer.ts";

/** A part is about so long: what a writer grows by copying stays small. */
const PART_BYTES = 1 << 20;

/** A long message inside of another one, kept in parts, because to make it in one piece is to copy it several times. */
export class MessageParts {
  /** What is written next goes here, field by field. */
  readonly writer = new ProtobufWriter();
  readonly #parts: Buffer[] = [];
  #cutBytes = 0;

  get length(): number {
    return this.#cutBytes + this.writer.length;
  }

  /** To be called between fields of the message. */
  cut(): void {
    if (this.writer.length >= PART_BYTES) this.#cut();
  }

  #cut(): void {
    this.#parts.push(Buffer.from(this.writer.finish()));
    this.#cutBytes += this.writer.length;
    this.writer.reset();
  }

  /** The message as `field` of another one. */
  finish(field: number): Buffer[] {
    this.#cut();
    const head = new ProtobufWriter();
    head.messageHead(field, this.#cutBytes);
    return [head.finish(), ...this.#parts];
  }
}
