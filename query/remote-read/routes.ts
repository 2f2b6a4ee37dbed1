import { Readable } from "node:stream";
import { LimitError, TooLargeError } from "@sightline/model/errors.ts";
import { compareLabels } from "@sightline/model/labels.ts";
import type { MetricStore } from "@sightline/model/metric-store.ts";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { RemoteReadLimits } from "../config.ts";
import type { Failure } from "../http/failure.ts";
import { sendPlainFailure } from "../http/plain-failure.ts";
import { type QueryApiDeps, type QueryCall, registerQueryApi } from "../http/query-api.ts";
import { sendChunks } from "../http/send-chunks.ts";
import { sortInTurns } from "../http/sort-in-turns.ts";
import { Turn } from "../http/turn.ts";
import type { Chunk } from "./chunk.ts";
import { type ChunkedSeries, encodeFrames } from "./encode-chunks.ts";
import { writeTimeSeries } from "./encode-samples.ts";
import { histogramChunks } from "./histogram-chunks.ts";
import { MessageParts } from "./message-parts.ts";
import { decodeReadRequest, negotiateResponseType, type ReadQuery } from "./read-request.ts";
import { snappyPieces } from "./snappy-compress.ts";
import { snappyDecompress } from "./snappy-decompress.ts";
import { xorChunks } from "./xor-chunks.ts";

export type RemoteReadDeps = QueryApiDeps & { readonly store: Pick<MetricStore, "select"> };

const STREAMED = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

/** Prometheus' remote read, `/api/v1/read`: raw samples, or chunks in a stream. Errors are plain text there. */
export function registerRemoteRead(app: FastifyInstance, deps: RemoteReadDeps): void {
  const handler = (call: QueryCall) => read(deps, call);
  const route = { methods: ["POST"], url: "/api/v1/read", handler, gated: true } as const;
  registerQueryApi(app, deps, sendText, [route], { rawBodies: true });
}

function sendText(reply: FastifyReply, failure: Failure): FastifyReply {
  const { error } = failure;
  // Prometheus knows no other status for a request that asks for too much.
  if (error instanceof LimitError || error instanceof TooLargeError) reply.code(400);
  return sendPlainFailure(reply, failure);
}

async function read(deps: RemoteReadDeps, call: QueryCall): Promise<FastifyReply> {
  const body = Buffer.isBuffer(call.request.body) ? call.request.body : Buffer.alloc(0);
  const { queries, acceptedTypes } = decodeReadRequest(snappyDecompress(body, deps.config.max_form_bytes));
  return negotiateResponseType(acceptedTypes) === "chunks"
    ? sendChunked(deps, call, queries)
    : sendSamples(deps, call, queries);
}

async function sendSamples(
  deps: RemoteReadDeps,
  call: QueryCall,
  queries: readonly ReadQuery[],
): Promise<FastifyReply> {
  const limits = deps.config.remote_read;
  const parts: Buffer[] = [];
  let bytes = 0;
  const turn = new Turn();
  let samples = 0;
  for (const query of queries) {
    const result = new MessageParts();
    for await (const group of select(deps, call, query)) {
      for (const series of group) {
        samples += series.timesMs.length + (series.histograms?.timesMs.length ?? 0);
        if (samples > limits.max_samples) {
          throw new LimitError(`exceeded sample limit (${limits.max_samples}, query.remote_read.max_samples)`);
        }
        writeTimeSeries(result.writer, 1, series);
        checkBytes(bytes + result.length, limits);
        result.cut();
        await turn.rest();
      }
    }
    parts.push(...result.finish(1));
    bytes += result.length;
  }
  const { reply } = call;
  reply.type("application/x-protobuf").header("content-encoding", "snappy");
  return reply.send(Readable.from(inTurns(snappyPieces(parts), turn), { objectMode: false }));
}

async function* inTurns(pieces: Iterable<Buffer>, turn: Turn): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    yield piece;
    await turn.rest();
  }
}

async function sendChunked(
  deps: RemoteReadDeps,
  call: QueryCall,
  queries: readonly ReadQuery[],
): Promise<FastifyReply> {
  const turn = new Turn();
  const answers: ChunkedSeries[][] = [];
  let bytes = 0;
  for (const query of queries) {
    const answer: ChunkedSeries[] = [];
    for await (const group of select(deps, call, query)) {
      for (const { labels, timesMs, values, histograms } of group) {
        const chunks: Chunk[] = [...xorChunks(timesMs, values), ...(histograms ? histogramChunks(histograms) : [])];
        if (histograms) chunks.sort((a, b) => a.minTimeMs - b.minTimeMs);
        for (const { data } of chunks) bytes += data.length;
        checkBytes(bytes, deps.config.remote_read);
        answer.push({ labels, chunks });
        await turn.rest();
      }
    }
    // The reader merges streams of several servers, and stores give series in no order.
    answers.push(await sortInTurns(answer, (a, b) => compareLabels(a.labels, b.labels), turn));
  }
  return sendChunks(call.request, call.reply, STREAMED, allFrames(answers));
}

function* allFrames(answers: readonly ChunkedSeries[][]): Generator<Uint8Array> {
  for (const [index, answer] of answers.entries()) yield* encodeFrames(answer, index);
}

function select({ store }: RemoteReadDeps, { tenant, signal }: QueryCall, { range, matchers, hints }: ReadQuery) {
  return store.select({ tenant, range, matchers, hints }, signal);
}

function checkBytes(bytes: number, { max_bytes: maxBytes }: RemoteReadLimits): void {
  if (bytes <= maxBytes) return;
  throw new TooLargeError(
    `the answer is larger than ${maxBytes} bytes (query.remote_read.max_bytes); ask for fewer series or a shorter time`,
  );
}
