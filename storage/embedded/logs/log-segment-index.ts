import { type Labels, labelsKey, labelValue } from "@sightline/model/labels.ts";
import type { LogStream } from "@sightline/model/log-batch.ts";
import type { CountedKey } from "../segments/attribute-columns.ts";
import { type FlatAttributes, flatten, unflatten } from "../segments/flat-attributes.ts";

/** A stream of a segment: which rows have it is the column `stream`, its place in the list. */
export type IndexedStream = {
  readonly stream: LogStream;
  readonly rows: number;
  /** First and last event time, both included. */
  readonly minNs: bigint;
  readonly maxNs: bigint;
};

export type LogSegmentIndex = {
  readonly columns: readonly CountedKey[];
  /** Ordered by {@link sortKey}, so that similar streams are near each other in the file. */
  readonly streams: readonly IndexedStream[];
};

type StreamLine = {
  readonly labels: Labels;
  readonly resource: FlatAttributes;
  readonly scope: { name: string; version: string; schemaUrl: string; attributes: FlatAttributes };
  readonly rows: number;
  readonly minNs: string;
  readonly maxNs: string;
};

/** Equal for streams that are equal in labels, resource and scope. */
export function streamKey({ labels, resource, scope }: LogStream): string {
  return JSON.stringify([
    labels,
    flatten(resource),
    scope.name,
    scope.version,
    scope.schemaUrl,
    flatten(scope.attributes),
  ]);
}

/** The service first: most queries are about one. */
export function sortKey(stream: LogStream): string {
  return `${labelValue(stream.labels, "service_name")}\u0000${labelsKey(stream.labels)}`;
}

export function* linesOfIndex({ columns, streams }: LogSegmentIndex): Generator<unknown> {
  yield columns;
  for (const { stream, rows, minNs, maxNs } of streams) {
    const { name, version, schemaUrl, attributes } = stream.scope;
    yield {
      labels: stream.labels,
      resource: flatten(stream.resource),
      scope: { name, version, schemaUrl, attributes: flatten(attributes) },
      rows,
      minNs: String(minNs),
      maxNs: String(maxNs),
    } satisfies StreamLine;
  }
}

export function indexOfLines(lines: readonly unknown[]): LogSegmentIndex {
  const [columns, ...streams] = lines as [readonly CountedKey[], ...StreamLine[]];
  return {
    columns,
    streams: streams.map(({ labels, resource, scope, rows, minNs, maxNs }) => ({
      stream: {
        labels,
        resource: unflatten(resource),
        scope: { ...scope, attributes: unflatten(scope.attributes) },
      },
      rows,
      minNs: BigInt(minNs),
      maxNs: BigInt(maxNs),
    })),
  };
}
