import { type Labels, labelsKey, labelValue } from "@sightline/model/labels.ts";
import type { LogStream } from "@sightline/model/log-batch.ts";
import type { CountedKey, TailKey } from "../segments/attribute-columns.ts";
import { type FlatAttributes, flatten, unflatten } from "../segments/flat-attributes.ts";
import { LetterGrams } from "../segments/letter-grams.ts";

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
  /** What the column `tail` has; undefined when that is not known: in older files, or when it is too much. */
  readonly tail: readonly TailKey[] | undefined;
  /** Of the bodies; undefined in older files. */
  readonly grams: LetterGrams | undefined;
  /** Ordered by {@link sortKey}, so that similar streams are near each other in the file. */
  readonly streams: readonly IndexedStream[];
};

/** Older files have the columns alone. */
type HeadLine =
  | (Pick<LogSegmentIndex, "columns" | "tail"> & {
      /** Base64. */
      readonly grams?: string | undefined;
    })
  | readonly CountedKey[];

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

export function* linesOfIndex({ columns, tail, grams, streams }: LogSegmentIndex): Generator<unknown> {
  yield { columns, tail, grams: grams?.toText() } satisfies HeadLine;
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
  const [head, ...streams] = lines as [HeadLine, ...StreamLine[]];
  const { columns, tail, grams } = "columns" in head ? head : { columns: head };
  return {
    columns,
    tail,
    grams: grams === undefined ? undefined : LetterGrams.fromText(grams),
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
