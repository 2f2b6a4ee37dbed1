import { labelValue } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { FieldFilter, LogCountGroup, LogCountRequest, LogRequest, LogStore } from "@sightline/model/log-store.ts";
import { compileMatcher } from "@sightline/model/matcher.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { type LogRow, logBatchOf, logRowsOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { ReferenceLogStore } from "@sightline/storage-conformance/reference-log-store.ts";
import { queryConfig } from "../config.ts";
import { DETECTED_LEVEL } from "./detected-level.ts";
import type { LogReader } from "./log-reader.ts";
import { LogqlEngine } from "./logql-engine.ts";
import { mergeLabels } from "./merge-labels.ts";
import { StructuredMetadata } from "./structured-metadata.ts";

export const LIMITS = queryConfig.parse({}).logs;
export const SECOND_NS = 1_000_000_000n;
const NEVER = new AbortController().signal;

/** A store that leaves line filters and limit to the engine. */
function inexact(store: ReferenceLogStore): Pick<LogStore, "select"> {
  return {
    select: (request: LogRequest, signal: AbortSignal) => ({
      exact: false,
      batches: store.select({ ...request, line: [], limit: Number.MAX_SAFE_INTEGER }, signal).batches,
    }),
  };
}

/** A store that applies label filters and counts, by the labels that the engine itself would give the records. */
export function counting(store: ReferenceLogStore): LogReader & Required<Pick<LogReader, "counts">> {
  const select = ({ fields = [], limit, ...request }: LogRequest, signal: AbortSignal) => {
    const { batches } = store.select({ ...request, limit: Number.MAX_SAFE_INTEGER }, signal);
    return { exact: true, batches: pickRows(batches, fields, limit) };
  };
  return {
    appliesFields: true,
    select,
    streams: (request) => store.streams(request),
    async counts(request, signal) {
      const groups = new CountedGroups(request);
      const all = { ...request, newestFirst: false, limit: Number.MAX_SAFE_INTEGER };
      for await (const batch of select(all, signal).batches) groups.add(batch);
      return groups.found.size > request.maxGroups ? undefined : [...groups.found.values()].map(({ group }) => group);
    },
  };
}

function* labelsOfRows(batch: LogBatch) {
  const metadata = new StructuredMetadata();
  for (let row = 0; row < batch.length; row++) {
    const { labels } = batch.streams[batch.streamRefs[row] as number] as LogStream;
    // The level that was sent is the store's, the one that is found is the engine's.
    const isSent = batch.attributes.some(({ name, values }) => name === DETECTED_LEVEL && values[row] !== undefined);
    const stored = metadata.of(batch, row).filter(([name]) => name !== DETECTED_LEVEL || isSent);
    yield mergeLabels(labels, stored);
  }
}

async function* pickRows(batches: AsyncIterable<LogBatch>, fields: readonly FieldFilter[], limit: number) {
  const tests = fields.map(({ name, op = "=", value }) => ({ name, test: compileMatcher({ name, op, value }) }));
  let left = limit;
  for await (const batch of batches) {
    const rows = logRowsOf(batch);
    const kept = [...labelsOfRows(batch)].flatMap((labels, row) =>
      tests.every(({ name, test }) => test(labelValue(labels, name))) ? [rows[row] as LogRow] : [],
    );
    yield logBatchOf(kept.slice(0, left));
    left -= kept.length;
    if (left <= 0) return;
  }
}

class CountedGroups {
  readonly found = new Map<string, { counts: Map<number, [number, number]>; group: LogCountGroup }>();
  readonly #request: LogCountRequest;

  constructor(request: LogCountRequest) {
    this.#request = request;
  }

  add(batch: LogBatch): void {
    const { by, range, bucketNs } = this.#request;
    for (const [row, labels] of [...labelsOfRows(batch)].entries()) {
      const values = by.map((name) => labelValue(labels, name));
      const bucket = Number(((batch.timesNs[row] as bigint) - range.startNs) / bucketNs);
      const counts = this.found.get(values.join("\0"))?.counts ?? new Map<number, [number, number]>();
      const [count, bytes] = counts.get(bucket) ?? [0, 0];
      counts.set(bucket, [count + 1, bytes + Buffer.byteLength(batch.bodies[row] as string)]);
      const ordered = [...counts].sort(([a], [b]) => a - b);
      const group = {
        values,
        buckets: Float64Array.from(ordered, ([number]) => number),
        counts: Float64Array.from(ordered, ([, [records]]) => records),
        bytes: Float64Array.from(ordered, ([, [, size]]) => size),
      };
      this.found.set(values.join("\0"), { counts, group });
    }
  }
}

/** An engine over these rows. With `isExact` the store applies line filters itself. */
export async function engineOver(rows: readonly LogRow[], isExact = true, limits = LIMITS): Promise<LogqlEngine> {
  const store = new ReferenceLogStore();
  await store.append(DEFAULT_TENANT, logBatchOf(rows));
  return new LogqlEngine({ store: isExact ? store : inexact(store), limits });
}

/** A row of the stream `{app="a"}`, with its level known so that none need be detected. */
export function rowOf(line: string, atSeconds = 1, labels: Record<string, string> = { app: "a" }): LogRow {
  return { timeNs: BigInt(Math.round(atSeconds * 1e9)), body: line, labels: { ...labels, level: "info" } };
}

/** What a log query makes of one line: the line and its extracted labels; undefined when it is dropped. */
export async function processed(stages: string, line: string) {
  const engine = await engineOver([rowOf(line)]);
  const { value } = await engine.range(`{app="a"} ${stages}`, {
    tenant: DEFAULT_TENANT,
    startNs: 0n,
    endNs: 10n * SECOND_NS,
    stepNs: SECOND_NS,
    intervalNs: 0n,
    limit: 10,
    newestFirst: false,
    signal: NEVER,
  });
  const [entry] = value.type === "streams" ? value.entries : [];
  return entry && { line: entry.line, parsed: Object.fromEntries(entry.parsed) };
}

/** The samples of an instant query, as `{a="b"} value`, in their order. */
export async function instantSamples(engine: LogqlEngine, query: string, atSeconds: number): Promise<string[]> {
  const { value } = await engine.instant(query, {
    tenant: DEFAULT_TENANT,
    timeNs: BigInt(Math.round(atSeconds * 1e9)),
    limit: 10,
    newestFirst: true,
    signal: NEVER,
  });
  if (value.type === "scalar") return [String(value.value)];
  return value.type === "vector" ? value.samples.map(({ labels, value: sample }) => `${show(labels)} ${sample}`) : [];
}

/** The series of a range query, as `{a="b"} 1 _ 3` with a value or nothing for each step. */
export async function rangeSeries(
  engine: LogqlEngine,
  query: string,
  [start, end, step]: readonly [number, number, number],
): Promise<string[]> {
  const { value } = await engine.range(query, {
    tenant: DEFAULT_TENANT,
    startNs: BigInt(start) * SECOND_NS,
    endNs: BigInt(end) * SECOND_NS,
    stepNs: BigInt(step) * SECOND_NS,
    intervalNs: 0n,
    limit: 10,
    newestFirst: true,
    signal: NEVER,
  });
  if (value.type !== "matrix") return [];
  const timesMs = Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, i) => (start + i * step) * 1_000);
  return value.series.map((series) => {
    const at = timesMs.map((timeMs) => {
      const i = series.timesMs.indexOf(timeMs);
      return i === -1 ? "_" : String(series.values[i]);
    });
    return `${show(series.labels)} ${at.join(" ")}`;
  });
}

function show(labels: Parameters<typeof mergeLabels>[0]): string {
  return `{${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(", ")}}`;
}
