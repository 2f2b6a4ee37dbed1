import type { LogBatch } from "@sightline/model/log-batch.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import type { RowDeletion } from "@sightline/model/row-deletion.ts";
import { compileAttributeMatchers } from "../segments/attribute-matcher.ts";
import { Breather } from "../segments/breather.ts";
import type { FindRows } from "../segments/row-deleter.ts";
import type { RowReader } from "../segments/row-reader.ts";
import { compileLineFilters } from "./line-matcher.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";
import { logBatchOfChunk } from "./segment-log-batch.ts";
import { sqlOfNumberedRows } from "./segment-log-source.ts";

/** Finds the records that a deletion is about. Throws `InvalidInputError` for a wrong regular expression. */
export function findLogRows(
  reader: RowReader<LogBatch, LogSegmentIndex>,
  { matchers, line, attributes, range }: RowDeletion,
  signal: AbortSignal,
): FindRows {
  const matchesStream = compileMatchers(matchers);
  const matchesLine = compileLineFilters(line);
  const matchesAttributes = compileAttributeMatchers(attributes);
  return async function* find(segment) {
    const index = await reader.withIndex(segment, (known) => known);
    if (!index) return;
    const streams = index.streams.flatMap(({ stream }, number) => (matchesStream(stream.labels) ? [number] : []));
    if (streams.length === 0) return;
    const breather = new Breather();
    const allStreams = index.streams.map(({ stream }) => stream);
    const resources = allStreams.map(({ resource }) => resource);
    const sql = sqlOfNumberedRows({ segment, index, streams, range });
    for await (const chunk of reader.database.stream(sql, [], signal)) {
      const batch = logBatchOfChunk(chunk, index, allStreams, false);
      const numbers = chunk.getColumnValues(chunk.columnCount - 1) as bigint[];
      const matches = matchesAttributes({ attributes: batch.attributes, resources, refs: batch.streamRefs });
      const found: number[] = [];
      for (const [row, body] of batch.bodies.entries()) {
        if (matchesLine?.(body) !== false && matches(row)) found.push(Number(numbers[row]));
      }
      yield found;
      if (breather.due) await breather.pause();
    }
  };
}
