import type { Label } from "@sightline/model/labels.ts";
import { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import { BYTES, VARINT } from "../wire/reader.ts";

const NS_PER_SECOND = 1_000_000_000n;

/** Writes a logproto.PushRequest, as push-protobuf.ts reads it. */
export class PushWriter {
  readonly #writer: ProtobufWriter;
  #stream: number | undefined;

  constructor(capacity: number) {
    this.#writer = new ProtobufWriter(capacity);
  }

  /** Entries added from now on belong to this stream. */
  startStream(labels: readonly Label[] | string): void {
    this.#endStream();
    this.#writer.tag(1, BYTES);
    this.#stream = this.#writer.open();
    this.#text(1, typeof labels === "string" ? labels : labelText(labels));
  }

  add(timeNs: bigint, line: string, metadata: readonly Label[]): void {
    const writer = this.#writer;
    writer.tag(2, BYTES);
    const entry = writer.open();
    writer.tag(1, BYTES);
    const time = writer.open();
    writer.tag(1, VARINT);
    writer.varint64(timeNs / NS_PER_SECOND);
    writer.tag(2, VARINT);
    writer.varint64(timeNs % NS_PER_SECOND);
    writer.close(time);
    this.#text(2, line);
    for (const [name, value] of metadata) {
      writer.tag(3, BYTES);
      const pair = writer.open();
      this.#text(1, name);
      this.#text(2, value);
      writer.close(pair);
    }
    writer.close(entry);
  }

  /** The writer must not be used any more. */
  finish(): Uint8Array {
    this.#endStream();
    return this.#writer.finish();
  }

  #endStream(): void {
    if (this.#stream !== undefined) this.#writer.close(this.#stream);
    this.#stream = undefined;
  }

  #text(field: number, text: string): void {
    this.#writer.tag(field, BYTES);
    this.#writer.string(text);
  }
}

/** What is escaped in JSON is in Go, too. */
function labelText(labels: readonly Label[]): string {
  return `{${labels.map(([name, value]) => `${JSON.stringify(name)}=${JSON.stringify(value)}`).join(",")}}`;
}
