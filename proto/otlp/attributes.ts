import type { Attribute, Attributes, AttributeType } from "@sightline/model/attributes.ts";
import { BYTES, FIXED64, VARINT, type WireReader } from "../wire/reader.ts";
import { ObjectBudget } from "./object-budget.ts";
import { TextCache } from "./text-cache.ts";

/** Field tags of opentelemetry.proto.common.v1. */
const KEY_VALUE_KEY = (1 << 3) | BYTES;
const KEY_VALUE_VALUE = (2 << 3) | BYTES;
export const ANY_STRING = (1 << 3) | BYTES;
const ANY_BOOL = (2 << 3) | VARINT;
const ANY_INT = (3 << 3) | VARINT;
const ANY_DOUBLE = (4 << 3) | FIXED64;
const ANY_ARRAY = (5 << 3) | BYTES;
const ANY_KVLIST = (6 << 3) | BYTES;
const ANY_BYTES = (7 << 3) | BYTES;
const LIST_VALUES = (1 << 3) | BYTES;

/** Of the keys of a map. */
export type KeyOrder = "sorted" | "as-sent";

const TWO_TO_32 = 4_294_967_296;

/** A buffer over the same memory: only Buffer can decode a range of bytes in one call. */
export function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Reads `AnyValue` messages into the canonical text of model/attributes.ts. The result is left in `type` and `text`, so
 * that a value costs no object. An empty value is the string "".
 */
export class AnyValueReader {
  type: AttributeType = "string";
  text = "";
  /** Of the request that the bytes are. */
  readonly budget: ObjectBudget;
  readonly #buffer: Buffer;
  readonly #texts: TextCache;
  readonly #keyOrder: KeyOrder;
  /** Of the key and value that were read last. */
  #key = "";

  /**
   * `buffer` lies over the bytes of the readers that are going to be passed: those of one request. With sorted keys the
   * last of equal ones stays, as in the JSON of Go's maps, so that texts can be compared with Prometheus' and Loki's.
   */
  constructor(buffer: Buffer, texts = new TextCache(), keyOrder: KeyOrder = "as-sent", maxObjects?: number) {
    this.budget = new ObjectBudget(maxObjects);
    this.#buffer = buffer;
    this.#texts = texts;
    this.#keyOrder = keyOrder;
  }

  /** Reads the AnyValue that the reader has entered, to its end. */
  read(reader: WireReader): void {
    this.type = "string";
    this.text = "";
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      switch (tag) {
        case ANY_STRING: {
          const length = reader.skipBytes();
          this.type = "string";
          this.text = this.#texts.text(this.#buffer, reader.pos - length, reader.pos);
          break;
        }
        case ANY_BOOL:
          this.type = "bool";
          this.text = reader.bool() ? "true" : "false";
          break;
        case ANY_INT:
          this.type = "int";
          this.text = int64Text(reader);
          break;
        case ANY_DOUBLE:
          this.type = "double";
          this.text = String(reader.double());
          break;
        case ANY_BYTES:
          this.type = "bytes";
          this.text = base64Text(this.#buffer, reader);
          break;
        case ANY_ARRAY:
        case ANY_KVLIST:
          this.type = "json";
          this.text = this.#jsonOfList(reader, tag);
          break;
        default:
          reader.skip(tag);
      }
    }
  }

  /** Text of the value as JSON: 64-bit integers as plain digits, bytes as base64 strings, NaN and Inf as strings. */
  #jsonOf(reader: WireReader): string {
    let json = "null";
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      switch (tag) {
        case ANY_STRING:
          json = this.#jsonText(reader);
          break;
        case ANY_BOOL:
          json = reader.bool() ? "true" : "false";
          break;
        case ANY_INT:
          json = int64Text(reader);
          break;
        case ANY_DOUBLE: {
          const value = reader.double();
          json = Number.isFinite(value) ? String(value) : `"${value}"`;
          break;
        }
        case ANY_BYTES:
          json = `"${base64Text(this.#buffer, reader)}"`;
          break;
        case ANY_ARRAY:
        case ANY_KVLIST:
          json = this.#jsonOfList(reader, tag);
          break;
        default:
          reader.skip(tag);
      }
    }
    return json;
  }

  /** Recursion is bounded by the depth that the reader lets anybody enter. */
  #jsonOfList(reader: WireReader, tag: number): string {
    const isArray = tag === ANY_ARRAY;
    const items: string[] = [];
    const keys: string[] = [];
    const outer = reader.enter(isArray ? "array_value" : "kvlist_value");
    for (let inner = reader.nextTag(); inner !== 0; inner = reader.nextTag()) {
      if (inner !== LIST_VALUES) {
        reader.skip(inner);
        continue;
      }
      this.budget.spend();
      const list = reader.enter("values");
      items.push(isArray ? this.#jsonOf(reader) : this.#jsonOfKeyValue(reader));
      if (!isArray) keys.push(this.#key);
      reader.leave(list);
    }
    reader.leave(outer);
    if (isArray) return `[${items.join(",")}]`;
    return `{${(this.#keyOrder === "sorted" ? sortedByKey(items, keys) : items).join(",")}}`;
  }

  #jsonOfKeyValue(reader: WireReader): string {
    let key = "";
    let json = "null";
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === KEY_VALUE_KEY) key = this.#text(reader);
      else if (tag === KEY_VALUE_VALUE) {
        const outer = reader.enter("value");
        json = this.#jsonOf(reader);
        reader.leave(outer);
      } else reader.skip(tag);
    }
    this.budget.spendText(key.length);
    this.#key = key;
    return `${JSON.stringify(key)}:${json}`;
  }

  #jsonText(reader: WireReader): string {
    const text = this.#text(reader);
    this.budget.spendText(text.length);
    return JSON.stringify(text);
  }

  #text(reader: WireReader): string {
    const length = reader.skipBytes();
    return this.#texts.text(this.#buffer, reader.pos - length, reader.pos);
  }

  /** Reads the KeyValue that the reader has entered. */
  readKeyValue(reader: WireReader): Attribute {
    this.budget.spend();
    let name = "";
    let type: AttributeType = "string";
    let value = "";
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === KEY_VALUE_KEY) name = this.#text(reader);
      else if (tag === KEY_VALUE_VALUE) {
        const outer = reader.enter("value");
        this.read(reader);
        reader.leave(outer);
        ({ type, text: value } = this);
      } else reader.skip(tag);
    }
    return { name, type, value };
  }
}

/** Items in the order of their keys; of equal keys the last. */
function sortedByKey(items: readonly string[], keys: readonly string[]): readonly string[] {
  let ascending = true;
  for (let i = 1; i < keys.length && ascending; i++) ascending = (keys[i - 1] as string) < (keys[i] as string);
  if (ascending) return items;
  const itemOf = new Map(keys.map((key, i) => [key, items[i] as string]));
  return [...itemOf.keys()].sort().map((key) => itemOf.get(key) as string);
}

/** Collects the attributes of a resource, scope, event or link: in the order they come, the last one of a name wins. */
export class AttributeList {
  readonly #attributes: Attribute[] = [];
  /** Where each name is, from the moment that a scan over all of them would be slow. */
  #indexOf: Map<string, number> | undefined;

  add(attribute: Attribute): void {
    const list = this.#attributes;
    const at = this.#find(attribute.name);
    if (at >= 0) {
      list[at] = attribute;
      return;
    }
    this.#indexOf?.set(attribute.name, list.length);
    list.push(attribute);
    if (list.length === MAX_SCANNED) this.#indexOf = new Map(list.map(({ name }, index) => [name, index]));
  }

  #find(name: string): number {
    if (this.#indexOf) return this.#indexOf.get(name) ?? -1;
    const list = this.#attributes;
    for (let i = 0; i < list.length; i++) if ((list[i] as Attribute).name === name) return i;
    return -1;
  }

  finish(): Attributes {
    return this.#attributes;
  }
}

const MAX_SCANNED = 32;

/** An int64 varint as decimal digits. */
export function int64Text(reader: WireReader): string {
  reader.readVarint64();
  const high = reader.high | 0;
  const value = high * TWO_TO_32 + reader.low;
  if (Number.isSafeInteger(value)) return String(value);
  return String((BigInt(high) << 32n) | BigInt(reader.low));
}

function base64Text(buffer: Buffer, reader: WireReader): string {
  const length = reader.skipBytes();
  return buffer.toString("base64", reader.pos - length, reader.pos);
}
