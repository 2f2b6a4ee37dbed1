import type { RowDeletion } from "@sightline/model/row-deletion.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { compileAttributeMatchers } from "../segments/attribute-matcher.ts";
import { Breather } from "../segments/breather.ts";
import type { FindRows } from "../segments/row-deleter.ts";
import type { RowReader } from "../segments/row-reader.ts";
import { spanBatchOfChunk, sqlOfNumberedSpans } from "./segment-spans.ts";
import type { SpanSegmentIndex } from "./span-segment-index.ts";

/** Finds the spans that a deletion is about. Throws `InvalidInputError` for a wrong regular expression. */
export function findSpanRows(
  reader: RowReader<SpanBatch, SpanSegmentIndex>,
  { attributes, range }: RowDeletion,
  signal: AbortSignal,
): FindRows {
  const matchesAttributes = compileAttributeMatchers(attributes);
  return async function* find(segment) {
    const index = await reader.withIndex(segment, (known) => known);
    if (!index) return;
    const breather = new Breather();
    const resources = index.sources.map(({ resource }) => resource);
    for await (const chunk of reader.database.stream(sqlOfNumberedSpans(segment, index), [], signal)) {
      const batch = spanBatchOfChunk(chunk, index);
      const numbers = chunk.getColumnValues(chunk.columnCount - 1) as bigint[];
      const matches = matchesAttributes({ attributes: batch.attributes, resources, refs: batch.sourceRefs });
      const found: number[] = [];
      for (const [row, startNs] of batch.startsNs.entries()) {
        if (startNs >= range.startNs && startNs < range.endNs && matches(row)) found.push(Number(numbers[row]));
      }
      yield found;
      if (breather.due) await breather.pause();
    }
  };
}
