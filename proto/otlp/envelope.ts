import { type Attributes, NO_SCOPE, type Scope } from "@sightline/model/attributes.ts";
import { BYTES, type WireReader } from "../wire/reader.ts";
import { type AnyValueReader, AttributeList } from "./attributes.ts";
import { checkItemCount } from "./object-budget.ts";
import type { TextCache } from "./text-cache.ts";

/** All three signals wrap their items alike: request > resource_… > scope_… > item, under the same field numbers. */
const REQUEST_RESOURCES = (1 << 3) | BYTES;
const RESOURCE = (1 << 3) | BYTES;
const SCOPES = (2 << 3) | BYTES;
const SCOPE = (1 << 3) | BYTES;
const ITEMS = (2 << 3) | BYTES;
const SCHEMA_URL = (3 << 3) | BYTES;

const RESOURCE_ATTRIBUTES = (1 << 3) | BYTES;
const SCOPE_NAME = (1 << 3) | BYTES;
const SCOPE_VERSION = (2 << 3) | BYTES;
const SCOPE_ATTRIBUTES = (3 << 3) | BYTES;

/** Items that are read in one go; a thousand take some milliseconds. */
const STEP_ITEMS = 256;
/** Items that are counted in one go. */
const STEP_COUNTED = 16_384;

/** What the fields are called in the messages of one signal, for error texts. */
export type EnvelopeNames = { readonly resources: string; readonly scopes: string; readonly items: string };

/** Where items come from. Equal sources of a request are the same object. */
export type Source = { readonly resource: Attributes; readonly resourceSchemaUrl: string; readonly scope: Scope };

export interface ItemVisitor {
  /** Reads the item that the reader has entered, all of it. It came from `sources[sourceRef]`. */
  readItem(reader: WireReader, sourceRef: number): void;
}

/**
 * The number of items in a request: an upper bound for the rows it makes. Throws `TooLargeError` when these, or the
 * resources and scopes around them, are more than a request may have. In steps: see {@link runSteps}.
 */
export function* countItems(reader: WireReader, names: EnvelopeNames, maxItems?: number): Generator<void, number> {
  let count = 0;
  let frames = 0;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag !== REQUEST_RESOURCES) {
      reader.skip(tag);
      continue;
    }
    checkItemCount(++frames, names.resources, maxItems);
    const request = reader.enter(names.resources);
    for (let inner = reader.nextTag(); inner !== 0; inner = reader.nextTag()) {
      if (inner !== SCOPES) {
        reader.skip(inner);
        continue;
      }
      checkItemCount(++frames, names.scopes, maxItems);
      const resources = reader.enter(names.scopes);
      for (let item = reader.nextTag(); item !== 0; item = reader.nextTag()) {
        if (item === ITEMS) checkItemCount(++count, names.items, maxItems);
        reader.skip(item);
        if (count % STEP_COUNTED === STEP_COUNTED - 1) yield;
      }
      reader.leave(resources);
    }
    reader.leave(request);
  }
  return count;
}

/** Walks a request and gathers its distinct sources: those that have items. */
export class EnvelopeWalker {
  readonly sources: Source[] = [];
  readonly #names: EnvelopeNames;
  readonly #buffer: Buffer;
  readonly #texts: TextCache;
  readonly #values: AnyValueReader;
  /** By the bytes of the message: senders repeat themselves, and byte for byte. */
  readonly #resources = new Map<string, { readonly id: number; readonly attributes: Attributes }>();
  readonly #scopes = new Map<string, Scope>();
  readonly #sourceRefs = new Map<string, number>();
  #items = 0;

  constructor(names: EnvelopeNames, buffer: Buffer, texts: TextCache, values: AnyValueReader) {
    this.#names = names;
    this.#buffer = buffer;
    this.#texts = texts;
    this.#values = values;
  }

  /** In steps of {@link STEP_ITEMS} items: see {@link runSteps}. */
  *walk(reader: WireReader, visitor: ItemVisitor): Generator<void, void> {
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag !== REQUEST_RESOURCES) {
        reader.skip(tag);
        continue;
      }
      const request = reader.enter(this.#names.resources);
      yield* this.#walkResource(reader, visitor);
      reader.leave(request);
    }
  }

  /** In two passes, because what belongs to all items may stand behind them: the schema's URL always does. */
  *#walkResource(reader: WireReader, visitor: ItemVisitor): Generator<void, void> {
    const start = reader.pos;
    let resource = this.#resource(reader, reader.pos, reader.pos);
    let schemaUrl = "";
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === RESOURCE) {
        const outer = reader.enter("resource");
        resource = this.#resource(reader, reader.pos, reader.end);
        reader.leave(outer);
      } else if (tag === SCHEMA_URL) schemaUrl = this.#text(reader);
      else reader.skip(tag);
    }
    reader.pos = start;
    const sourceKey = `${resource.id} ${schemaUrl.length} ${schemaUrl}`;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag !== SCOPES) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter(this.#names.scopes);
      yield* this.#walkScope(reader, visitor, { key: sourceKey, attributes: resource.attributes, schemaUrl });
      reader.leave(outer);
    }
  }

  *#walkScope(
    reader: WireReader,
    visitor: ItemVisitor,
    resource: { key: string; attributes: Attributes; schemaUrl: string },
  ): Generator<void, void> {
    const start = reader.pos;
    let scopeKey = "";
    let scope: Scope = NO_SCOPE;
    let schemaUrl = "";
    let isEmpty = true;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === SCOPE) {
        const outer = reader.enter("scope");
        scopeKey = this.#buffer.toString("latin1", reader.pos, reader.end);
        scope = this.#scope(reader, scopeKey);
        reader.leave(outer);
      } else if (tag === SCHEMA_URL) schemaUrl = this.#text(reader);
      else {
        isEmpty &&= tag !== ITEMS;
        reader.skip(tag);
      }
    }
    if (isEmpty) return;
    const sourceRef = this.#sourceRef(`${resource.key} ${schemaUrl.length} ${schemaUrl}${scopeKey}`, {
      resource: resource.attributes,
      resourceSchemaUrl: resource.schemaUrl,
      scope: schemaUrl === "" ? scope : { ...scope, schemaUrl },
    });
    reader.pos = start;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === ITEMS) {
        const outer = reader.enter(this.#names.items);
        visitor.readItem(reader, sourceRef);
        reader.leave(outer);
        if (++this.#items % STEP_ITEMS === 0) yield;
      } else reader.skip(tag);
    }
  }

  #sourceRef(key: string, source: Source): number {
    let ref = this.#sourceRefs.get(key);
    if (ref === undefined) {
      ref = this.sources.push(source) - 1;
      this.#sourceRefs.set(key, ref);
    }
    return ref;
  }

  #resource(reader: WireReader, start: number, end: number): { readonly id: number; readonly attributes: Attributes } {
    const key = this.#buffer.toString("latin1", start, end);
    let resource = this.#resources.get(key);
    if (!resource) {
      const attributes = start === end ? [] : this.#attributes(reader, RESOURCE_ATTRIBUTES);
      resource = { id: this.#resources.size, attributes };
      this.#resources.set(key, resource);
    }
    return resource;
  }

  #attributes(reader: WireReader, field: number): Attributes {
    const attributes = new AttributeList();
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag !== field) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter("attributes");
      attributes.add(this.#values.readKeyValue(reader));
      reader.leave(outer);
    }
    return attributes.finish();
  }

  #scope(reader: WireReader, key: string): Scope {
    const known = this.#scopes.get(key);
    if (known) return known;
    let name = "";
    let version = "";
    const attributes = new AttributeList();
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === SCOPE_NAME) name = this.#text(reader);
      else if (tag === SCOPE_VERSION) version = this.#text(reader);
      else if (tag === SCOPE_ATTRIBUTES) {
        const outer = reader.enter("attributes");
        attributes.add(this.#values.readKeyValue(reader));
        reader.leave(outer);
      } else reader.skip(tag);
    }
    const scope: Scope = { name, version, attributes: attributes.finish(), schemaUrl: "" };
    this.#scopes.set(key, scope);
    return scope;
  }

  #text(reader: WireReader): string {
    const length = reader.skipBytes();
    return this.#texts.text(this.#buffer, reader.pos - length, reader.pos);
  }
}
