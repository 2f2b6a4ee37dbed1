import type { Attribute, Attributes } from "@sightline/model/attributes.ts";
import { type Fault, invalid } from "../../metrics/rejection-log.ts";
import { BYTES, WireReader } from "../../wire/reader.ts";
import { decodeUtf8 } from "../../wire/utf8.ts";
import { AnyValueReader, AttributeList, bufferOver } from "../attributes.ts";
import { TextCache } from "../text-cache.ts";

const INVALID_ATTRIBUTE = invalid("utf8", "an attribute name or value is not valid UTF-8");
const REPLACEMENT = "\ufffd";

/** Decodes attributes where they become labels, whose text must be valid UTF-8. */
export class AttributeReader {
  readonly #texts = new TextCache();
  readonly #maxDepth: number;
  #bytes: Uint8Array | undefined;
  #values: AnyValueReader | undefined;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  /** Reads all `KeyValue` fields `field` in `[start, end)`; the last one of a name wins. */
  read(bytes: Uint8Array, start: number, end: number, field: number): Attributes | Fault {
    const list = new AttributeList();
    const reader = new WireReader(bytes, "data_points", { start, end, maxDepth: this.#maxDepth });
    return this.readInto(list, reader, field) ?? list.finish();
  }

  /** Adds all `KeyValue` fields `field` up to the end of the message that the reader is in. */
  readInto(list: AttributeList, reader: WireReader, field: number): Fault | undefined {
    let valid = true;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag !== ((field << 3) | BYTES)) {
        reader.skip(tag);
        continue;
      }
      const attribute = this.readOne(reader);
      if (attribute) list.add(attribute);
      else valid = false;
    }
    return valid ? undefined : INVALID_ATTRIBUTE;
  }

  /** Reads the `KeyValue` that comes next, undefined when it is not valid UTF-8. */
  readOne(reader: WireReader): Attribute | undefined {
    const outer = reader.enter("attributes");
    const start = reader.pos;
    const attribute = this.#valuesOf(reader.bytes).readKeyValue(reader);
    const suspicious = attribute.name.includes(REPLACEMENT) || attribute.value.includes(REPLACEMENT);
    if (suspicious) reader.pos = start;
    const valid = !suspicious || isValidKeyValue(reader);
    reader.leave(outer);
    return valid ? attribute : undefined;
  }

  #valuesOf(bytes: Uint8Array): AnyValueReader {
    if (this.#bytes !== bytes || !this.#values) {
      this.#bytes = bytes;
      this.#values = new AnyValueReader(bufferOver(bytes), this.#texts, "sorted");
    }
    return this.#values;
  }

  /** Lets go of the request's bytes. */
  release(): void {
    this.#bytes = undefined;
    this.#values = undefined;
  }
}

/** U+FFFD may have been sent as such: looks at the bytes of the key and of a string value. */
function isValidKeyValue(reader: WireReader): boolean {
  let valid = true;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === ((1 << 3) | BYTES)) valid = isValidUtf8(reader) && valid;
    else if (tag === ((2 << 3) | BYTES)) {
      const outer = reader.enter("value");
      for (let inner = reader.nextTag(); inner !== 0; inner = reader.nextTag()) {
        if (inner === ((1 << 3) | BYTES)) valid = isValidUtf8(reader) && valid;
        else reader.skip(inner);
      }
      reader.leave(outer);
    } else reader.skip(tag);
  }
  return valid;
}

function isValidUtf8(reader: WireReader): boolean {
  const length = reader.skipBytes();
  return decodeUtf8(reader.bytes, reader.pos - length, reader.pos) !== undefined;
}
