import type { Attribute, Attributes, Scope } from "@sightline/model/attributes.ts";
import type { SpanBatch, SpanSource } from "@sightline/model/span-batch.ts";

/** A span where it lies in its batch. */
export type SpanRow = { readonly batch: SpanBatch; readonly row: number };

/** A trace as OTLP nests it: resources, their scopes, the spans of these. */
export type ResourceSpans = {
  readonly resource: Attributes;
  readonly schemaUrl: string;
  readonly scopes: readonly ScopeSpans[];
};
export type ScopeSpans = { readonly scope: Scope; readonly spans: readonly SpanRow[] };

type OpenResource = { readonly source: SpanSource; readonly scopes: Map<string, { scope: Scope; spans: SpanRow[] }> };

/** Groups spans by resource and scope, in the order in which they first come; equal ones become one. */
export function traceTree(batches: readonly SpanBatch[]): ResourceSpans[] {
  const resources = new Map<string, OpenResource>();
  for (const batch of batches) {
    const spansOfSource = batch.sources.map((source) => openSource(resources, source));
    for (let row = 0; row < batch.length; row++) {
      const spans = spansOfSource[batch.sourceRefs[row] as number];
      spans?.().push({ batch, row });
    }
  }
  return [...resources.values()].map(({ source, scopes }) => ({
    resource: source.resource,
    schemaUrl: source.resourceSchemaUrl,
    scopes: [...scopes.values()],
  }));
}

/** Opened when the first span asks for it: a batch may name sources of which this trace has no span. */
function openSource(resources: Map<string, OpenResource>, source: SpanSource): () => SpanRow[] {
  let spans: SpanRow[] | undefined;
  return () => {
    spans ??= findSpans(resources, source);
    return spans;
  };
}

function findSpans(resources: Map<string, OpenResource>, source: SpanSource): SpanRow[] {
  const resourceKey = JSON.stringify([source.resource, source.resourceSchemaUrl]);
  let resource = resources.get(resourceKey);
  if (!resource) {
    resource = { source, scopes: new Map() };
    resources.set(resourceKey, resource);
  }
  const scopeKey = JSON.stringify(source.scope);
  let scope = resource.scopes.get(scopeKey);
  if (!scope) {
    scope = { scope: source.scope, spans: [] };
    resource.scopes.set(scopeKey, scope);
  }
  return scope.spans;
}

/** The attributes of one span, sorted by name: columns know no order. */
export function spanAttributes({ batch, row }: SpanRow): Attribute[] {
  const attributes: Attribute[] = [];
  for (const { name, type, values } of batch.attributes) {
    const value = values[row];
    if (value !== undefined) attributes.push({ name, type, value });
  }
  return attributes.sort((a, b) => (a.name < b.name ? -1 : 1));
}
