import type { Attributes } from "@sightline/model/attributes.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { FacetCounter } from "./facet-counter.ts";

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const STATUSES = ["unset", "ok", "error"];

/** Counts attributes of the first `rows` spans of a batch, those of their resources, and their names, kinds and statuses. */
export function countSpans(batch: SpanBatch, rows: number, counter: FacetCounter): void {
  for (const { name, type, values } of batch.attributes) {
    const column = counter.column(name, "span", type);
    if (!column) continue;
    for (let row = 0; row < rows; row++) {
      const value = values[row];
      if (value !== undefined) column.add(value, 1);
    }
  }
  const perSource = new Map<number, number>();
  const names = counter.column("name", "field", "string");
  const kinds = counter.column("kind", "field", "string");
  const statuses = counter.column("status", "field", "string");
  for (let row = 0; row < rows; row++) {
    const ref = batch.sourceRefs[row] as number;
    perSource.set(ref, (perSource.get(ref) ?? 0) + 1);
    names?.add(batch.names[row] as string, 1);
    kinds?.add(KINDS[batch.kinds[row] as number] ?? "unspecified", 1);
    statuses?.add(STATUSES[batch.statusCodes[row] as number] ?? "unset", 1);
  }
  for (const [ref, count] of perSource) {
    const resource: Attributes = batch.sources[ref]?.resource ?? [];
    for (const { name, type, value } of resource) counter.column(name, "resource", type)?.add(value, count);
  }
}
