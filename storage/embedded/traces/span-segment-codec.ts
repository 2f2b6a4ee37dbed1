import { BIGINT, UBIGINT, UINTEGER, UTINYINT, VARCHAR } from "@duckdb/node-api";
import type { SpanBatch, SpanSource } from "@sightline/model/span-batch.ts";
import { AttributeColumns, TAIL_COLUMN } from "../segments/attribute-columns.ts";
import { Breather } from "../segments/breather.ts";
import { isHexId, wordOfHex } from "../segments/hex-id.ts";
import { attributesInTermsOf, mergedKeys, renumbered } from "../segments/merge-columns.ts";
import { partColumn } from "../segments/part-column.ts";
import { approximateAttributeBytes, approximateTextBytes } from "../segments/pick-rows.ts";
import type {
  MergeInput,
  MergePlan,
  RowPart,
  SegmentCodec,
  SegmentPlan,
  SegmentQuery,
} from "../segments/segment-codec.ts";
import type { RowGroup } from "../segments/segment-retention.ts";
import { BloomFilter } from "./bloom-filter.ts";
import { OperationTable } from "./operation-table.ts";
import { SourceDictionary } from "./source-dictionary.ts";
import { pickSpanRows } from "./span-batch-rows.ts";
import { eventsToText, linksToText } from "./span-json.ts";
import { indexOfLines, linesOfIndex, type SpanSegmentIndex, serviceOf } from "./span-segment-index.ts";

/** By trace: a look-up reads the one row group whose bounds hold the id. */
const ORDER = "trace_high, trace_low, start";
/** The columns every segment has. */
export const SPAN_COLUMNS = [
  "source",
  "trace_high",
  "trace_low",
  "span",
  "parent",
  "trace_state",
  "flags",
  "name",
  "kind",
  "start",
  "duration",
  "status",
  "status_message",
  "events",
  "links",
  TAIL_COLUMN,
] as const;
/** A parent id that is no proper hex id is kept in the tail under this name, with an empty type. */
export const TAIL_PARENT_ID = "parent_span_id";
/** Likewise what the sender left out of a span: the numbers of attributes, events and links, with commas between. */
export const TAIL_DROPPED = "dropped";

export class SpanSegmentCodec implements SegmentCodec<SpanBatch, SpanSegmentIndex> {
  readonly signal = "traces";
  readonly groupColumn = "source";
  readonly #maxColumns: number;

  /** `maxColumns`: attributes with a column of their own in one segment. */
  constructor(maxColumns: number) {
    this.#maxColumns = maxColumns;
  }

  timesOf(batch: SpanBatch): BigInt64Array {
    return batch.startsNs;
  }

  pick(batch: SpanBatch, rows: Uint32Array): SpanBatch {
    return pickSpanRows(batch, rows);
  }

  approximateBytes(batch: SpanBatch): number {
    let bytes = batch.length * 200 + approximateTextBytes(batch.names) + approximateTextBytes(batch.statusMessages);
    bytes += approximateAttributeBytes(batch.attributes);
    for (const list of [...batch.events, ...batch.links]) {
      for (const { attributes } of list ?? []) {
        bytes += 200 + approximateTextBytes(attributes.map(({ value }) => value));
      }
    }
    return bytes;
  }

  refusal({ traceIds, spanIds }: SpanBatch, row: number): string | undefined {
    const traceId = traceIds[row] as string;
    const spanId = spanIds[row] as string;
    if (!isHexId(traceId, 2)) return `trace id ${JSON.stringify(traceId)} is not 32 hex digits, not all zero`;
    if (!isHexId(spanId, 1)) return `span id ${JSON.stringify(spanId)} is not 16 hex digits, not all zero`;
    return undefined;
  }

  async plan(parts: readonly RowPart<SpanBatch>[]): Promise<SegmentPlan> {
    const attributes = await AttributeColumns.plan(parts, this.#maxColumns, addRareFields);
    const { traces, traceCount } = await bloomOf(parts);
    const operations = await operationsOf(parts);
    const sources = new SourceDictionary();
    const numbers = parts.map(({ batch }) => Uint32Array.from(batch.sources, (source) => sources.numberOf(source)));
    const columns = [
      partColumn(parts, "source", UINTEGER, ({ sourceRefs }, row, part) => numbers[part]?.[sourceRefs[row] as number]),
      partColumn(parts, "trace_high", UBIGINT, ({ traceIds }, row) => wordOfHex(traceIds[row] as string, 0)),
      partColumn(parts, "trace_low", UBIGINT, ({ traceIds }, row) => wordOfHex(traceIds[row] as string, 1)),
      partColumn(parts, "span", UBIGINT, ({ spanIds }, row) => wordOfHex(spanIds[row] as string, 0)),
      partColumn(parts, "parent", UBIGINT, ({ parentSpanIds }, row) => parentWord(parentSpanIds[row] as string)),
      partColumn(parts, "trace_state", VARCHAR, ({ traceStates }, row) => traceStates[row]),
      partColumn(parts, "flags", UINTEGER, ({ flags }, row) => flags[row]),
      partColumn(parts, "name", VARCHAR, ({ names }, row) => names[row]),
      partColumn(parts, "kind", UTINYINT, ({ kinds }, row) => kinds[row]),
      partColumn(parts, "start", BIGINT, ({ startsNs }, row) => startsNs[row]),
      partColumn(parts, "duration", BIGINT, ({ durationsNs }, row) => durationsNs[row]),
      partColumn(parts, "status", UTINYINT, ({ statusCodes }, row) => statusCodes[row]),
      partColumn(parts, "status_message", VARCHAR, ({ statusMessages }, row) => statusMessages[row]),
      partColumn(parts, "events", VARCHAR, ({ events }, row) => eventsToText(events[row])),
      partColumn(parts, "links", VARCHAR, ({ links }, row) => linksToText(links[row])),
      ...attributes.segmentColumns(),
    ];
    const index = { columns: attributes.keys, sources: sources.list, traces, traceCount, operations };
    return { columns, orderBy: ORDER, index: linesOfIndex(index) };
  }

  async merge(inputs: readonly MergeInput<SpanSegmentIndex>[], query: SegmentQuery): Promise<MergePlan> {
    const columns = mergedKeys(
      inputs.map(({ index }) => index.columns),
      this.#maxColumns,
    );
    const sources = new SourceDictionary();
    const operations = new OperationTable();
    const selects: string[] = [];
    for (const input of inputs) {
      const { rows, index } = input;
      const left = await whatIsLeft(input, query);
      // Sources of which no span is left have no number; nor does any span ask for it.
      const numbers = index.sources.map((source, i) => (left.hasSource(i) ? sources.numberOf(source) : 0));
      const fields = [
        renumbered("source", numbers),
        ...SPAN_COLUMNS.slice(1, -1),
        ...attributesInTermsOf(index.columns, columns),
      ];
      selects.push(`SELECT ${fields.join(", ")} FROM ${rows}`);
      operations.addAll(left.operations);
    }
    const select = selects.join(" UNION ALL ");
    const { traces, traceCount } = await bloomOfRows(select, inputs, query);
    return {
      select,
      orderBy: ORDER,
      index: linesOfIndex({ columns, sources: sources.list, traces, traceCount, operations }),
    };
  }

  /** By their resource attributes. */
  groups({ sources }: SpanSegmentIndex): readonly RowGroup[] {
    return sources.map(({ resource }) => ({ labels: resource.map(({ name, value }) => [name, value] as const) }));
  }

  parseIndex(lines: readonly unknown[]): SpanSegmentIndex {
    return indexOfLines(lines);
  }
}

/** As the index says or, where spans were deleted, as the spans do. */
async function whatIsLeft({ rows, index, isThinned }: MergeInput<SpanSegmentIndex>, query: SegmentQuery) {
  if (!isThinned) return { hasSource: () => true, operations: index.operations };
  const found = new Set<number>();
  const operations = new OperationTable();
  for await (const chunk of query(`SELECT DISTINCT source, name, kind FROM ${rows}`)) {
    const [numbers, names, kinds] = chunk.getColumns() as [number[], string[], number[]];
    for (const [i, number] of numbers.entries()) {
      found.add(number);
      operations.add(serviceOf(index.sources[number] as SpanSource), names[i] as string, kinds[i] as number);
    }
  }
  return { hasSource: (number: number) => found.has(number), operations };
}

async function bloomOf(parts: readonly RowPart<SpanBatch>[]): Promise<Pick<SpanSegmentIndex, "traces" | "traceCount">> {
  const breather = new Breather({ isBackground: true });
  const ids = new Set<string>();
  for (const { batch, rows } of parts) {
    for (const row of rows) ids.add(batch.traceIds[row] as string);
    if (breather.due) await breather.pause();
  }
  const traces = BloomFilter.forKeys(ids.size);
  for (const id of ids) {
    traces.add(wordOfHex(id, 0), wordOfHex(id, 1));
    if (breather.due) await breather.pause();
  }
  return { traces, traceCount: ids.size };
}

/** A trace may be in several of the inputs, so the counts of the inputs add up to the size, but the ids are read. */
async function bloomOfRows(
  select: string,
  inputs: readonly MergeInput<SpanSegmentIndex>[],
  query: SegmentQuery,
): Promise<Pick<SpanSegmentIndex, "traces" | "traceCount">> {
  const breather = new Breather({ isBackground: true });
  const traces = BloomFilter.forKeys(inputs.reduce((sum, { index }) => sum + index.traceCount, 0));
  let traceCount = 0;
  for await (const chunk of query(`SELECT DISTINCT trace_high, trace_low FROM (${select})`)) {
    const high = chunk.getColumnValues(0) as bigint[];
    const low = chunk.getColumnValues(1) as bigint[];
    for (let i = 0; i < high.length; i++) traces.add(high[i] as bigint, low[i] as bigint);
    traceCount += high.length;
    if (breather.due) await breather.pause();
  }
  return { traces, traceCount };
}

async function operationsOf(parts: readonly RowPart<SpanBatch>[]): Promise<OperationTable> {
  const breather = new Breather({ isBackground: true });
  const operations = new OperationTable();
  for (const { batch, rows } of parts) {
    addOperations(operations, batch, rows);
    if (breather.due) await breather.pause();
  }
  return operations;
}

/** `rows` undefined: all of the batch. */
export function addOperations(operations: OperationTable, batch: SpanBatch, rows?: Uint32Array): void {
  const services = batch.sources.map((source: SpanSource) => serviceOf(source));
  const count = rows?.length ?? batch.length;
  for (let i = 0; i < count; i++) {
    const row = rows ? (rows[i] as number) : i;
    const service = services[batch.sourceRefs[row] as number] as string;
    operations.add(service, batch.names[row] as string, batch.kinds[row] as number);
  }
}

function parentWord(id: string): bigint {
  return id !== "" && isHexId(id, 1) ? wordOfHex(id, 0) : 0n;
}

function addRareFields({ parentSpanIds, dropped }: SpanBatch, row: number, tail: string[]): void {
  const id = parentSpanIds[row] as string;
  if (id !== "" && !isHexId(id, 1)) tail.push(TAIL_PARENT_ID, "", id);
  const left = dropped?.[row];
  if (left) tail.push(TAIL_DROPPED, "", `${left.attributes},${left.events},${left.links}`);
}
