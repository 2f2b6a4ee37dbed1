import type { Attributes, Scope } from "@sightline/model/attributes.ts";
import { NO_SCOPE } from "@sightline/model/attributes.ts";
import type { SpanBatch, SpanDropped, SpanEvent, SpanLink, SpanSource } from "@sightline/model/span-batch.ts";
import { attributeColumnsOf, attributesAt } from "./log-batch-of.ts";

/** A span written down as one object. Whatever is left out is empty. */
export type SpanRow = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags?: number;
  readonly name?: string;
  readonly kind?: number;
  readonly startNs: bigint;
  readonly durationNs?: bigint;
  readonly statusCode?: number;
  readonly statusMessage?: string;
  readonly resource?: Attributes;
  readonly resourceSchemaUrl?: string;
  readonly scope?: Scope;
  readonly attributes?: Attributes;
  readonly events?: readonly SpanEvent[];
  readonly links?: readonly SpanLink[];
  readonly dropped?: SpanDropped;
};

export function spanBatchOf(rows: readonly SpanRow[]): SpanBatch {
  const sources = new Map<string, SpanSource>();
  const sourceRefs = rows.map(({ resource = [], scope = NO_SCOPE, resourceSchemaUrl = "" }) => {
    const key = JSON.stringify([resource, scope, resourceSchemaUrl]);
    if (!sources.has(key)) sources.set(key, { resource, scope, resourceSchemaUrl });
    return [...sources.keys()].indexOf(key);
  });
  return {
    length: rows.length,
    sources: [...sources.values()],
    sourceRefs: Uint32Array.from(sourceRefs),
    traceIds: rows.map(({ traceId }) => traceId),
    spanIds: rows.map(({ spanId }) => spanId),
    parentSpanIds: rows.map(({ parentSpanId }) => parentSpanId ?? ""),
    traceStates: rows.map(({ traceState }) => traceState ?? ""),
    flags: Uint32Array.from(rows.map(({ flags }) => flags ?? 0)),
    names: rows.map(({ name }) => name ?? ""),
    kinds: Uint8Array.from(rows.map(({ kind }) => kind ?? 0)),
    startsNs: BigInt64Array.from(rows.map(({ startNs }) => startNs)),
    durationsNs: BigInt64Array.from(rows.map(({ durationNs }) => durationNs ?? 0n)),
    statusCodes: Uint8Array.from(rows.map(({ statusCode }) => statusCode ?? 0)),
    statusMessages: rows.map(({ statusMessage }) => statusMessage ?? ""),
    attributes: attributeColumnsOf(rows.map(({ attributes }) => attributes ?? [])),
    events: rows.map(({ events }) => events),
    links: rows.map(({ links }) => links),
    ...(rows.some(({ dropped }) => dropped) && { dropped: rows.map(({ dropped }) => dropped) }),
  };
}

/** Every field present, attributes sorted by name and type: equal spans compare equal. */
export function spanRowsOf(batch: SpanBatch): Required<SpanRow>[] {
  return Array.from({ length: batch.length }, (_, row) => {
    const { resource, scope, resourceSchemaUrl } = batch.sources[batch.sourceRefs[row] as number] as SpanSource;
    return {
      traceId: batch.traceIds[row] as string,
      spanId: batch.spanIds[row] as string,
      parentSpanId: batch.parentSpanIds[row] as string,
      traceState: batch.traceStates[row] as string,
      flags: batch.flags[row] as number,
      name: batch.names[row] as string,
      kind: batch.kinds[row] as number,
      startNs: batch.startsNs[row] as bigint,
      durationNs: batch.durationsNs[row] as bigint,
      statusCode: batch.statusCodes[row] as number,
      statusMessage: batch.statusMessages[row] as string,
      resource,
      resourceSchemaUrl,
      scope,
      attributes: attributesAt(batch.attributes, row),
      events: batch.events[row] ?? [],
      links: batch.links[row] ?? [],
      dropped: batch.dropped?.[row] ?? { attributes: 0, events: 0, links: 0 },
    };
  });
}
