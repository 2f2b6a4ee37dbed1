import type { LogCountRequest } from "@sightline/model/log-store.ts";
import { segmentRows } from "../segments/segment-rows.ts";
import type { CountGroups } from "./count-groups.ts";
import type { StreamLabelValue } from "./label-sources.ts";
import type { LogScope, SegmentScope } from "./log-scope.ts";
import { SegmentLabel } from "./segment-label.ts";
import { rowCondition } from "./segment-log-source.ts";

/** Times further from zero than this might overflow when they are subtracted. */
const MAX_TIME = 2n ** 62n;
/** Up to so many groups DuckDB counts by stream, which costs less than to look up the stream's class for each row. */
const MAX_STREAM_GROUPS = 20_000;

/** Counts rows of a segment. False when that can't be done exactly, or makes too many groups. */
export async function countSegmentRows(
  segment: SegmentScope,
  request: LogCountRequest,
  scope: LogScope,
  groups: CountGroups,
): Promise<boolean> {
  if (!segment.isSure) return false;
  const labels = request.by.map((name) => new SegmentLabel(name, segment.index));
  const classes = classesOf(segment.streams, labels);
  // Where all streams have a label of that name, what records have does not count.
  const columns = labels.map((label, i) =>
    classes?.list.every((values) => values[i]?.kind === "label") ? undefined : label,
  );
  const bucket = bucketExpression(segment, request);
  if (!classes || !bucket || columns.some((label) => label && !label.isSure)) return false;
  const groupBy = groupExpression(segment, classes, bucket.count);
  const texts = columns.flatMap((label) => label?.texts[0] ?? []);
  const { condition, values } = rowCondition(segment);
  const names = texts.map((_, i) => `t${i}`);
  const keys = [
    `${groupBy.sql} AS g`,
    `${bucket.sql} AS b`,
    ...texts.map((text, i) => `coalesce(${text}, '') AS t${i}`),
  ];
  const sums = ["count(*) AS n", request.withBytes ? "sum(strlen(body)) AS size" : "0 AS size"];
  const rows = `FROM ${segmentRows(segment.segment)} WHERE ${condition} GROUP BY ALL`;
  const sql = `SELECT ${["g", "b::DOUBLE", ...names, "n::DOUBLE", "size::DOUBLE"].join(", ")} FROM (SELECT ${[...keys, ...sums].join(", ")} ${rows})`;
  for await (const chunk of scope.reader.database.stream(sql, values, scope.signal)) {
    const [numbers, buckets, ...rest] = chunk.getColumns() as [number[], number[], ...unknown[][]];
    const [counts, bytes] = rest.slice(-2) as [number[], number[]];
    for (let i = 0; i < numbers.length; i++) {
      // Where all keys are constants DuckDB has a group of nothing.
      if (counts[i] === 0) continue;
      const ofClass = groupBy.classOf(numbers[i] as number);
      let text = 0;
      const found = columns.map((label, place) => {
        const own = label?.texts.length === 1 ? (rest[text++]?.[i] as string) : "";
        const { kind, value } = ofClass[place] as StreamLabelValue;
        return own === "" || kind === "label" ? value : own;
      });
      if (!groups.add(found, buckets[i] as number, counts[i] as number, bytes[i] as number)) return false;
    }
    if (scope.breather.due) await scope.pause();
  }
  return true;
}

type StreamClass = readonly StreamLabelValue[];
type Classes = {
  /** What streams say of each label. */
  readonly list: readonly StreamClass[];
  /** By stream. */
  readonly numbers: ReadonlyMap<number, number>;
};

/** Streams that are alike in all labels. Undefined when some stream can't tell. */
function classesOf(streams: readonly number[], labels: readonly SegmentLabel[]): Classes | undefined {
  const list: StreamClass[] = [];
  const byKey = new Map<string, number>();
  const numbers = new Map<number, number>();
  for (const stream of streams) {
    const values = labels.map((label) => label.ofStream(stream));
    if (values.some(({ kind }) => kind === "unknown")) return undefined;
    const key = JSON.stringify(values.map(({ kind, value }) => [kind, value]));
    const number = byKey.get(key) ?? list.push(values) - 1;
    byKey.set(key, number);
    numbers.set(stream, number);
  }
  return { list, numbers };
}

/** The number of a group of streams, and what class it is. */
function groupExpression({ streams, index }: SegmentScope, classes: Classes, buckets: number) {
  const classNumber = (stream: number) => classes.numbers.get(stream) ?? 0;
  if (classes.list.length === 1) return { sql: "0", classOf: () => classes.list[0] as StreamClass };
  if (streams.length * buckets <= MAX_STREAM_GROUPS) {
    return { sql: "stream", classOf: (stream: number) => classes.list[classNumber(stream)] as StreamClass };
  }
  const numbers = index.streams.map((_, stream) => classNumber(stream));
  return {
    sql: `([${numbers.join(", ")}]::UINTEGER[])[stream + 1]`,
    classOf: (number: number) => classes.list[number] as StreamClass,
  };
}

/** Undefined when times might overflow. */
function bucketExpression(
  { info: { minNs, maxNs }, range }: SegmentScope,
  { bucketNs }: LogCountRequest,
): { readonly sql: string; readonly count: number } | undefined {
  const { startNs } = range;
  const firstNs = minNs > startNs ? minNs : startNs;
  const lastNs = maxNs < range.endNs ? maxNs : range.endNs - 1n;
  const [first, last] = [(firstNs - startNs) / bucketNs, (lastNs - startNs) / bucketNs];
  if (first >= last) return { sql: String(first), count: 1 };
  if ([startNs, minNs, maxNs].some((time) => time > MAX_TIME || time < -MAX_TIME)) return undefined;
  return { sql: `(time - (${startNs})) // ${bucketNs}`, count: Number(last - first) + 1 };
}
