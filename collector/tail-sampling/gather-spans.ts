import type { AttributeColumn } from "@sightline/model/attributes.ts";
import type { SpanBatch, SpanSource } from "@sightline/model/span-batch.ts";
import type { HeldRow } from "./held-traces.ts";

/** A batch of rows of several ones, in the order given. */
export function gatherSpans(rows: readonly HeldRow[]): SpanBatch {
  const pick = <T>(of: (batch: SpanBatch) => ArrayLike<T>): T[] =>
    rows.map(({ request, row }) => of(request.batch)[row] as T);
  const { sources, sourceRefs } = gatherSources(rows);
  const dropped = rows.some(({ request }) => request.batch.dropped);
  return {
    length: rows.length,
    sources,
    sourceRefs,
    traceIds: pick((batch) => batch.traceIds),
    spanIds: pick((batch) => batch.spanIds),
    parentSpanIds: pick((batch) => batch.parentSpanIds),
    traceStates: pick((batch) => batch.traceStates),
    flags: Uint32Array.from(pick((batch) => batch.flags)),
    names: pick((batch) => batch.names),
    kinds: Uint8Array.from(pick((batch) => batch.kinds)),
    startsNs: BigInt64Array.from(pick((batch) => batch.startsNs)),
    durationsNs: BigInt64Array.from(pick((batch) => batch.durationsNs)),
    statusCodes: Uint8Array.from(pick((batch) => batch.statusCodes)),
    statusMessages: pick((batch) => batch.statusMessages),
    attributes: gatherColumns(rows),
    events: pick((batch) => batch.events),
    links: pick((batch) => batch.links),
    ...(dropped && { dropped: pick((batch) => batch.dropped ?? []) }),
  };
}

function gatherSources(rows: readonly HeldRow[]): { sources: SpanSource[]; sourceRefs: Uint32Array } {
  const refs = new Map<SpanSource, number>();
  const sourceRefs = Uint32Array.from(rows, ({ request: { batch }, row }) => {
    const source = batch.sources[batch.sourceRefs[row] as number] as SpanSource;
    const ref = refs.get(source) ?? refs.size;
    refs.set(source, ref);
    return ref;
  });
  return { sources: [...refs.keys()], sourceRefs };
}

function gatherColumns(rows: readonly HeldRow[]): AttributeColumn[] {
  const columns = new Map<string, { name: string; type: AttributeColumn["type"]; values: (string | undefined)[] }>();
  for (const [i, { request, row }] of rows.entries()) {
    for (const { name, type, values } of request.batch.attributes) {
      const value = values[row];
      if (value === undefined) continue;
      const key = `${type}:${name}`;
      let column = columns.get(key);
      if (!column) {
        column = { name, type, values: new Array(rows.length).fill(undefined) };
        columns.set(key, column);
      }
      column.values[i] = value;
    }
  }
  return [...columns.values()];
}
