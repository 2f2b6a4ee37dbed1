import type { Scope } from "@sightline/model/attributes.ts";
import { attributeValue } from "@sightline/model/attributes.ts";
import type { SpanSource } from "@sightline/model/span-batch.ts";
import type { Operation } from "@sightline/model/trace-store.ts";
import type { CountedKey } from "../segments/attribute-columns.ts";
import { type FlatAttributes, flatten, unflatten } from "../segments/flat-attributes.ts";
import { BloomFilter } from "./bloom-filter.ts";
import { OperationTable } from "./operation-table.ts";

export type SpanSegmentIndex = {
  readonly columns: readonly CountedKey[];
  /** The column `source` is a place in it. */
  readonly sources: readonly SpanSource[];
  /** Trace ids of the segment. */
  readonly traces: BloomFilter;
  /** Distinct trace ids that `traces` was made for. */
  readonly traceCount: number;
  readonly operations: OperationTable;
};

type HeadLine = {
  readonly columns: readonly CountedKey[];
  readonly traceCount: number;
  /** Base64. */
  readonly traces: string;
};
type SourceLine = {
  readonly resource: FlatAttributes;
  readonly schemaUrl: string;
  readonly scope: Omit<Scope, "attributes"> & { readonly attributes: FlatAttributes };
};
type OperationsLine = { readonly service: string; readonly operations: readonly Operation[] };

export function serviceOf(source: SpanSource): string {
  return attributeValue(source.resource, "service.name");
}

/** Equal for equal sources. */
export function sourceKey(source: SpanSource): string {
  return JSON.stringify(sourceLine(source));
}

function sourceLine({ resource, resourceSchemaUrl, scope }: SpanSource): SourceLine {
  return {
    resource: flatten(resource),
    schemaUrl: resourceSchemaUrl,
    scope: { ...scope, attributes: flatten(scope.attributes) },
  };
}

export function* linesOfIndex(index: SpanSegmentIndex): Generator<unknown> {
  const traces = Buffer.from(index.traces.bits).toString("base64");
  yield { columns: index.columns, traceCount: index.traceCount, traces } satisfies HeadLine;
  for (const source of index.sources) yield sourceLine(source);
  for (const [service, operations] of index.operations.entries()) {
    yield { service, operations } satisfies OperationsLine;
  }
}

export function indexOfLines(lines: readonly unknown[]): SpanSegmentIndex {
  const [head, ...rest] = lines as [HeadLine, ...(SourceLine | OperationsLine)[]];
  const sources: SpanSource[] = [];
  const operations = new OperationTable();
  for (const line of rest) {
    if ("service" in line) {
      for (const { name, kind } of line.operations) operations.add(line.service, name, kind);
    } else {
      const { attributes, ...scope } = line.scope;
      sources.push({
        resource: unflatten(line.resource),
        resourceSchemaUrl: line.schemaUrl,
        scope: { ...scope, attributes: unflatten(attributes) },
      });
    }
  }
  const traces = new BloomFilter(Buffer.from(head.traces, "base64"));
  return { columns: head.columns, sources, traces, traceCount: head.traceCount, operations };
}
