import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import type { AuditLog } from "@sightline/model/audit-log.ts";
import { CancelledError, InvalidInputError } from "@sightline/model/errors.ts";
import type { LogStore } from "@sightline/model/log-store.ts";
import type { MetricStore } from "@sightline/model/metric-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange, TimeRangeNs } from "@sightline/model/time-range.ts";
import type { TraceStore } from "@sightline/model/trace-store.ts";
import type { FastifyInstance } from "fastify";
import { type QueryApiDeps, type QueryCall, type QueryHandler, registerQueryApi } from "../http/query-api.ts";
import { acceptsGzip } from "../http/send-chunks.ts";
import { Turn } from "../http/turn.ts";
import { sendPrometheusFailure } from "../prometheus-api/error-response.ts";
import { optionalRange } from "../prometheus-api/parameters.ts";
import { parseSelector } from "../promql/parse/parse-promql.ts";
import { logRows, seriesRow, spanRows } from "./export-rows.ts";

export type ExportDeps = QueryApiDeps & {
  readonly stores: {
    readonly metrics: Pick<MetricStore, "select">;
    readonly logs: Pick<LogStore, "select">;
    readonly traces: Pick<TraceStore, "spans">;
  };
  readonly audit: AuditLog;
};

type Export = (deps: ExportDeps, call: QueryCall, range: TimeRange, signal: AbortSignal) => AsyncIterable<string>;

const EXPORTS: ReadonlyMap<string, Export> = new Map([
  ["metrics", exportMetrics],
  ["logs", exportLogs],
  ["traces", exportTraces],
]);
const CHUNK_CHARACTERS = 64 * 1024;

/**
 * `/api/v1/export?signal=metrics|logs|traces&start=&end=&match[]=`: everything of a tenant in a range of time, a JSON object per
 * line, without limits of size or time. Each export leaves an entry in the audit.
 */
export function registerExport(app: FastifyInstance, deps: ExportDeps): void {
  const handler: QueryHandler = async (call) => {
    const { parameters, request, reply, tenant, keyId } = call;
    const kind = parameters.get("signal") || "metrics";
    const rows = EXPORTS.get(kind);
    if (!rows) throw new InvalidInputError(`signal must be one of ${[...EXPORTS.keys()].join(", ")}`);
    const range = optionalRange(parameters);
    const details = { signal: kind, start: parameters.get("start"), end: parameters.get("end") };
    const entry = { atMs: Date.now(), tenant, keyId, client: request.ip, action: "export", details };
    await deps.audit.addEntry(entry);
    const gone = new AbortController();
    reply.raw.once("close", () => gone.abort(new CancelledError("the client closed the connection")));
    const body = Readable.from(chunks(rows(deps, call, range, gone.signal)), { objectMode: false });
    reply.header("content-type", "application/x-ndjson");
    if (!acceptsGzip(request.headers["accept-encoding"])) return reply.send(body);
    const gzip = createGzip({ level: 1 });
    // The answer breaks off then, so that nobody takes a part for the whole.
    body.on("error", (error) => gzip.destroy(error));
    return reply.header("content-encoding", "gzip").header("vary", "accept-encoding").send(body.pipe(gzip));
  };
  registerQueryApi(app, deps, sendPrometheusFailure, [
    { methods: ["GET"], url: "/api/v1/export", handler, scope: "admin" },
  ]);
}

async function* chunks(rows: AsyncIterable<string>): AsyncGenerator<Buffer> {
  const turn = new Turn();
  let text = "";
  for await (const row of rows) {
    text += `${row}\n`;
    if (text.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(text);
      text = "";
    }
    await turn.rest();
  }
  if (text !== "") yield Buffer.from(text);
}

async function* exportMetrics(
  { stores }: ExportDeps,
  { tenant, parameters }: QueryCall,
  range: TimeRange,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const selectors = parameters.all("match[]").map(parseSelector);
  for (const matchers of selectors.length > 0 ? selectors : [[]]) {
    for await (const group of stores.metrics.select({ tenant, range, matchers, transient: true }, signal)) {
      for (const series of group) yield seriesRow(series);
    }
  }
}

async function* exportLogs(
  { stores }: ExportDeps,
  { tenant }: QueryCall,
  range: TimeRange,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const request = { tenant, range: inNs(range), matchers: [], line: [], newestFirst: false };
  const selection = stores.logs.select({ ...request, limit: Number.POSITIVE_INFINITY }, signal);
  for await (const batch of selection.batches) yield* logRows(batch);
}

async function* exportTraces(
  { stores }: ExportDeps,
  { tenant }: { readonly tenant: TenantId },
  range: TimeRange,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for await (const batch of stores.traces.spans(tenant, inNs(range), signal)) yield* spanRows(batch);
}

/** Both ends of the one are included, only the start of the other. */
function inNs({ startMs, endMs }: TimeRange): TimeRangeNs {
  return { startNs: BigInt(startMs) * 1_000_000n, endNs: BigInt(endMs + 1) * 1_000_000n };
}
