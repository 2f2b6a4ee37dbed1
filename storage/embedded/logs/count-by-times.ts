import type { LogCountRequest } from "@sightline/model/log-store.ts";
import type { Segment } from "../segments/segment-directory.ts";
import type { CountGroups } from "./count-groups.ts";
import type { LogScope, SegmentScope } from "./log-scope.ts";
import { SegmentLabel } from "./segment-label.ts";
import type { SegmentTimes } from "./segment-times.ts";

/** `no`: this can't be told by times alone. */
export type CountedByTimes = "yes" | "no" | "too many groups";

/** Counts rows of a segment without reading them, where all that is asked for is when they were and of which stream. */
export async function countByTimes(
  segment: Segment,
  scope: SegmentScope,
  request: LogCountRequest,
  { query, times, groups }: { readonly query: LogScope; readonly times: SegmentTimes; readonly groups: CountGroups },
): Promise<CountedByTimes> {
  if (!scope.isSure || scope.lines.length + scope.conditions.length + scope.hints.length > 0) return "no";
  const labels = request.by.map((name) => new SegmentLabel(name, scope.index));
  const found = new Map<number, readonly string[]>();
  for (const stream of scope.streams) {
    const values = valuesOf(stream, labels);
    if (!values) return "no";
    found.set(stream, values);
    if (query.breather.due) await query.pause();
  }
  const known = times.of(segment, { withSizes: request.withBytes });
  if (!known) return "no";
  for (const [stream, values] of found) {
    const add = (bucket: number, count: number, bytes: number) => groups.add(values, bucket, count, bytes);
    if (!known.eachBucket(stream, request, add)) return "too many groups";
    if (query.breather.due) await query.pause();
  }
  return "yes";
}

/** Undefined when rows of the stream may have values of their own. */
function valuesOf(stream: number, labels: readonly SegmentLabel[]): readonly string[] | undefined {
  const values: string[] = [];
  for (const label of labels) {
    const { kind, value } = label.ofStream(stream);
    if (kind === "unknown" || label.isOpaque || (kind !== "label" && label.mayBeOfRows)) return undefined;
    values.push(value);
  }
  return values;
}
