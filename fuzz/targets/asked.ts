import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ProtobufWriter } from "@sightline/e2e/harness/protobuf-writer.ts";
import { parseLogql, parseStreamSelector } from "@sightline/query/logql/parse/parse-logql.ts";
import { lokiApp } from "@sightline/query/loki-api/loki-test-app.ts";
import { prometheusApp } from "@sightline/query/prometheus-api/prometheus-test-app.ts";
import { formatExpr } from "@sightline/query/promql/format/format-expr.ts";
import { parsePromql, parseSelector } from "@sightline/query/promql/parse/parse-promql.ts";
import { decodeReadRequest, negotiateResponseType } from "@sightline/query/remote-read/read-request.ts";
import { snappyDecompress } from "@sightline/query/remote-read/snappy-decompress.ts";
import type { FastifyInstance } from "fastify";
import { compressSync } from "snappy";
import { mutateBytes } from "../mutate/bytes.ts";
import { mutateProtobuf } from "../mutate/protobuf.ts";
import { mutateText } from "../mutate/text.ts";
import type { FuzzTarget, FuzzTargets } from "../target.ts";
import { textTarget } from "./text-target.ts";

const MAX_QUERY_BYTES = 20_000;
const MAX_READ_BYTES = 1_000_000;
const NOW_MS = 1_700_000_000_000;

const LOGQL = [
  '{app="web", env!~"dev|test"} |= "error" != `timeout` |~ "5.." | logfmt | status >= 500',
  'sum by (app) (rate({app=~".+"} | json level="lvl" | level="error" [5m])) > 0.5',
  'topk(3, count_over_time({app="web"} |= "x" [1h] offset 5m))',
  '{app="web"} | pattern "<ip> - <_> [<ts>]" | line_format "{{.ip}} {{.ts}}" | label_format a=b',
  'quantile_over_time(0.99, {app="web"} | unwrap duration(took) [1m]) by (host)',
];
const SELECTORS = ['{app="web"}', 'up{job=~"a|b", instance!=""}', '{__name__="a.b", "x y"="z"}'];
const FORMS = [
  "query=sum(rate(http_requests_total%5B5m%5D))&time=1700000000&timeout=5s",
  "query=http_requests_total&start=1699999000&end=1700000000&step=15s&limit=10",
  "match[]=http_requests_total&match[]=%7Bjob%3D%22a%22%7D&start=2023-11-14T22:00:00Z",
];
const LOKI_QUERIES = [
  "query=%7Bapp%3D%22web%22%7D&limit=10&start=1699999000000000000&end=1700000000&direction=forward",
  "query=sum(rate(%7Bapp%3D%22web%22%7D%5B1m%5D))&step=10&since=1h",
];
const PROMETHEUS_PATHS = ["query", "query_range", "series", "labels", "query_exemplars", "format_query", "parse_query"];
const LOKI_PATHS = ["query_range", "query", "labels", "series"];

/** What those who ask send: queries in three languages, remote read, forms. */
export async function askedTargets(): Promise<FuzzTargets> {
  const apps = [
    await prometheusApp([{ labels: { __name__: "http_requests_total", job: "a" }, samples: [[NOW_MS - 1_000, 1]] }]),
    await lokiApp([{ timeNs: BigInt(NOW_MS) * 1_000_000n, labels: { app: "web" }, body: "an error" }]),
  ] as const;
  const [prometheus, loki] = apps;
  const targets: FuzzTarget[] = [
    { name: "PromQL", share: 8, seeds: promqlSeeds(), mutate: mutateText, run: (bytes) => readPromql(textOf(bytes)) },
    textTarget("selectors", 2, SELECTORS, parseSelector),
    textTarget("LogQL", 6, LOGQL, (query) => parseLogql(query, MAX_QUERY_BYTES)),
    textTarget("stream selectors", 2, SELECTORS.slice(0, 1), (query) => parseStreamSelector(query, MAX_QUERY_BYTES)),
    { name: "remote read", share: 5, seeds: [readRequest()], mutate: mutateProtobuf, run: readReadRequest },
    {
      name: "snappy of remote read",
      share: 3,
      seeds: [compressSync(readRequest()), compressSync(Buffer.from(LOGQL.join("\n").repeat(5)))],
      mutate: mutateBytes,
      run: (bytes) => snappyDecompress(bytes, MAX_READ_BYTES),
    },
    form(
      "forms of Prometheus' API",
      prometheus,
      FORMS,
      PROMETHEUS_PATHS.map((path) => `/api/v1/${path}`),
    ),
    form(
      "forms of Loki's API",
      loki,
      LOKI_QUERIES,
      LOKI_PATHS.map((path) => `/loki/api/v1/${path}`),
    ),
  ];
  return { targets, close: async () => void (await Promise.all(apps.map((app) => app.close()))) };
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();

function promqlSeeds(): readonly Uint8Array[] {
  const path = fileURLToPath(import.meta.resolve("@sightline/query/promql/crosscheck/second-opinion.ts"));
  const corpus = readFileSync(path.replace("second-opinion.ts", "corpus.txt"), "utf8").split("\n");
  const isGood = (line: string) => {
    try {
      parsePromql(line);
      return line !== "" && !line.startsWith("#");
    } catch {
      return false;
    }
  };
  return corpus.filter(isGood).map((line) => Buffer.from(line));
}

/** What can be read can be written, and read again. */
function readPromql(query: string): void {
  const written = formatExpr(parsePromql(query));
  try {
    parsePromql(written);
  } catch (cause) {
    throw new Error(`${JSON.stringify(query)} is written as ${written}, which can't be read`, { cause });
  }
}

function readRequest(): Buffer {
  return new ProtobufWriter()
    .message(1, (query) => {
      query.varint(1, NOW_MS - 60_000).varint(2, NOW_MS);
      query.message(3, (matcher) => matcher.varint(1, 2).string(2, "__name__").string(3, "up|down"));
      query.message(4, (hints) => hints.varint(1, 15_000).string(2, "rate").varint(7, 300_000));
    })
    .varint(2, 1)
    .finish();
}

function readReadRequest(bytes: Uint8Array): void {
  const { queries, acceptedTypes } = decodeReadRequest(bytes);
  for (const { range, matchers } of queries) {
    if (!Number.isSafeInteger(range.startMs) || !Number.isSafeInteger(range.endMs)) throw new Error("an odd range");
    for (const { name, value } of matchers)
      if (typeof name !== "string" || typeof value !== "string") throw new Error("no text");
  }
  negotiateResponseType(acceptedTypes);
}

/** A form as the body, the path chosen by its length. 500 is a bug. */
function form(name: string, app: FastifyInstance, seeds: readonly string[], paths: readonly string[]): FuzzTarget {
  return {
    name,
    share: 0.7,
    seeds: seeds.map((seed) => Buffer.from(seed)),
    mutate: mutateText,
    run: async (bytes) => {
      const { statusCode, payload } = await app.inject({
        method: "POST",
        url: paths[bytes.length % paths.length] as string,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        payload: Buffer.from(bytes),
      });
      if (statusCode >= 500 && statusCode !== 503)
        throw new Error(`answered with ${statusCode}: ${payload.slice(0, 500)}`);
    },
  };
}
