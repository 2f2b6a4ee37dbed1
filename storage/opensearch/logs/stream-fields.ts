import type { Attribute, Attributes, AttributeType } from "@sightline/model/attributes.ts";
import type { LogStream } from "@sightline/model/log-batch.ts";
import { attributeToken, attributeTokens, isExactToken } from "../rows/attribute-text.ts";

/**
 * What a document has of its stream. `labels` and the first of `fields` are there for searches; the stream is read back from
 * them, and from `stream_rest`, which has what they don't say. Written out it would be the larger part of most documents.
 */
export type StreamFields = {
  readonly labels: readonly string[];
  /** Attributes of the resource, then of the scope, then the record's own. */
  readonly fields?: readonly string[];
  readonly stream_rest: StreamRest;
};
type StreamRest = readonly [
  resourceAttributes: number,
  scopeAttributes: number,
  scopeName: string,
  scopeVersion: string,
  schemaUrl: string,
  /** Place among `fields`, and type, of those that are no strings. */
  types: readonly (readonly [place: number, type: AttributeType])[],
];

/** Undefined for a stream that could not be read back: long values are cut off in `fields`, for example. */
export function streamFields({ labels, resource, scope }: LogStream): Required<StreamFields> | undefined {
  const attributes = [...resource, ...scope.attributes];
  if (!labels.every(([name, value]) => isReadable(name, value))) return undefined;
  if (!attributes.every(({ name, value }) => isReadable(name, value))) return undefined;
  const types = attributes.flatMap(({ type }, place) => (type === "string" ? [] : [[place, type] as const]));
  const { name, version, schemaUrl } = scope;
  return {
    labels: labels.map(([label, value]) => attributeToken(label, value)),
    fields: attributeTokens(attributes),
    stream_rest: [resource.length, scope.attributes.length, name, version, schemaUrl, types],
  };
}

export function streamOfFields({ labels, fields = [], stream_rest }: StreamFields): LogStream {
  const [resourceCount, scopeCount, name, version, schemaUrl, types] = stream_rest;
  const typeAt = new Map(types);
  const attributes: Attributes = fields.slice(0, resourceCount + scopeCount).map((token, place): Attribute => {
    const [attribute, value] = partsOf(token);
    return { name: attribute, type: typeAt.get(place) ?? "string", value };
  });
  return {
    labels: labels.map(partsOf),
    resource: attributes.slice(0, resourceCount),
    scope: { name, version, schemaUrl, attributes: attributes.slice(resourceCount) },
  };
}

function isReadable(name: string, value: string): boolean {
  return !name.includes("=") && name.isWellFormed() && isExactToken(name, value);
}

function partsOf(token: string): readonly [name: string, value: string] {
  const end = token.indexOf("=");
  return [token.slice(0, end), token.slice(end + 1)];
}
