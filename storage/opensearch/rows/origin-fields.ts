import type { Attributes, Scope } from "@sightline/model/attributes.ts";
import { attributesOfTokens, attributeTokens, isReadableToken, type TypesByPlace } from "./attribute-text.ts";
import { splitTokens } from "./tokens.ts";

/** Where rows come from: what a stream of log records and a source of spans have in common. */
export type Origin = { readonly resource: Attributes; readonly scope: Scope };

/**
 * What the first of a document's `fields`, which are there for searches, don't say of its origin. It is read back from both;
 * written out it would be the larger part of most documents.
 */
export type OriginRest = readonly [
  resourceAttributes: number,
  scopeAttributes: number,
  scopeName: string,
  scopeVersion: string,
  schemaUrl: string,
  types: TypesByPlace,
];

/** What `fields` begins with: attributes of the resource, then of the scope. */
export function originTokens({ resource, scope }: Origin): readonly string[] {
  return [...attributeTokens(resource), ...attributeTokens(scope.attributes)];
}

/** Undefined for one that could not be read back: long values are cut off in `fields`, for example. */
export function originRest({ resource, scope }: Origin): OriginRest | undefined {
  const attributes = [...resource, ...scope.attributes];
  if (!attributes.every(({ name, value }) => isReadableToken(name, value))) return undefined;
  const types = attributes.flatMap(({ type }, place) => (type === "string" ? [] : [[place, type] as const]));
  return [resource.length, scope.attributes.length, scope.name, scope.version, scope.schemaUrl, types];
}

/** `fields`: of any document of this origin. */
export function originOf(fields: string | readonly string[] | undefined, rest: OriginRest): Origin {
  const [resourceCount, scopeCount, name, version, schemaUrl, types] = rest;
  const attributes = attributesOfTokens(splitTokens(fields).slice(0, resourceCount + scopeCount), types);
  return {
    resource: attributes.slice(0, resourceCount),
    scope: { name, version, schemaUrl, attributes: attributes.slice(resourceCount) },
  };
}
