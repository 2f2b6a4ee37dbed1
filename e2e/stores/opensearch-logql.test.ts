import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { call } from "../harness/http-call.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { type Answer, difference, readAnswer } from "../logql/compare-answers.ts";
import { QUERY_FAMILIES } from "../logql/queries.ts";
import { otlpRequest, RECORDS_MS, SERVICES } from "../logql/records.ts";
import { type OpenSearchNode, OpenSearchStores, openSearchMissing, openSearchNode } from "./opensearch-fixtures.ts";

const missing = openSearchMissing();

const START_MS = Math.floor((Date.now() - RECORDS_MS) / 60_000) * 60_000;
const ns = (ms: number) => String(BigInt(ms) * 1_000_000n);
const RANGE = { start: ns(START_MS), end: ns(START_MS + RECORDS_MS) };

/** The ways in which a query is asked: lines in both directions, samples at a moment and over time. */
function waysOf(query: string): readonly (readonly [path: string, parameters: Readonly<Record<string, string>>])[] {
  const isLog = /^[\s({]*\{/.test(query) && !/[+] 1$|> 1$/.test(query);
  if (!isLog) {
    return [
      ["query", { time: ns(START_MS + 300_000) }],
      ["query_range", { ...RANGE, step: "137s" }],
    ];
  }
  return [
    ["query_range", { ...RANGE, limit: "4000", direction: "forward" }],
    ["query_range", { ...RANGE, limit: "7", direction: "backward" }],
  ];
}

/** Several series become one: which of their values it has depends on the order in which records are read. */
const isAmbiguous = (query: string) => query.startsWith("label_replace(") && query.includes('"x", "service_name"');

async function ask(server: ServerProcess, query: string, path: string, parameters: object): Promise<Answer> {
  const text = new URLSearchParams({ query, ...parameters }).toString();
  const answer = await call(`${server.url}/loki/api/v1/${path}?${text}`);
  return readAnswer(answer.status, answer.text, /^sort/.test(query) && path === "query");
}

describe.skipIf(missing !== undefined)("LogQL on OpenSearch", () => {
  let node: OpenSearchNode;
  let stores: OpenSearchStores;
  let embedded: ServerProcess;
  let opensearch: ServerProcess;

  beforeAll(async () => {
    node = await openSearchNode();
    stores = new OpenSearchStores(node.url);
    const env = {
      SIGHTLINE_SELF_TELEMETRY__ENABLED: "false",
      SIGHTLINE_STORAGE__LOGS__KIND: "opensearch",
      SIGHTLINE_STORAGE__OPENSEARCH__NODES: JSON.stringify([node.url]),
      SIGHTLINE_STORAGE__OPENSEARCH__PREFIX: stores.prefix,
      SIGHTLINE_STORAGE__OPENSEARCH__REPLICAS: "0",
    };
    embedded = await ServerProcess.start();
    opensearch = await ServerProcess.start({ env });
    const headers = { "content-type": "application/json" };
    const body = otlpRequest(START_MS);
    for (const { url } of [embedded, opensearch]) {
      const { status } = await call(`${url}/v1/logs`, { method: "POST", headers, body });
      expect(status).toBe(200);
    }
    const records = SERVICES.reduce((sum, { records }) => sum + records.length, 0);
    await eventually(async () => {
      const { text } = await call(`${opensearch.url}/metrics`);
      const metric = (name: string) => Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
      expect(["rows_total", "hot_rows"].map((name) => metric(`sightline_logs_store_${name}`))).toEqual([records, 0]);
    });
  }, 1_200_000);
  afterAll(async () => {
    await Promise.all([embedded?.dispose(), opensearch?.dispose()]);
    await stores?.dispose();
    await node?.dispose();
  });

  test.each(QUERY_FAMILIES)("answers $name as the embedded store does", { timeout: 600_000 }, async ({ queries }) => {
    for (const query of queries.filter((query) => !isAmbiguous(query))) {
      for (const [path, parameters] of waysOf(query)) {
        const [want, got] = await Promise.all([
          ask(embedded, query, path, parameters),
          ask(opensearch, query, path, parameters),
        ]);
        expect(difference(want, got), `${path} ${query}`).toBeUndefined();
      }
    }
  });
});
