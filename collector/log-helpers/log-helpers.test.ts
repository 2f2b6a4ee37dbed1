import type { LogBatch } from "@sightline/model/log-batch.ts";
import { afterEach, describe, expect, test } from "vitest";
import { TestCollector } from "../testing/test-collector.ts";

let collector: TestCollector | undefined;
afterEach(async () => {
  await collector?.stop();
  collector = undefined;
});

type Sent = { body: string; traceId?: string; spanId?: string; attributes?: Record<string, string> };
type Kept = { body: string; trace: string; span: string; attributes: Record<string, string> };

async function through(logs: object | undefined, records: readonly Sent[]): Promise<Kept[]> {
  const made = new TestCollector(logs ? { tenants: { logs } } : {});
  collector = made;
  await made.start();
  const logRecords = records.map(({ body, attributes = {}, ...ids }) => ({
    timeUnixNano: "1790000000000000000",
    body: { stringValue: body },
    attributes: Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } })),
    ...ids,
  }));
  const json = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
  const answer = await made.post("/v1/logs", json, { "content-type": "application/json" });
  expect(answer.status).toBe(200);
  return made.logs.taken.flatMap(({ batch }) => keptOf(batch));
}

function keptOf({ bodies, traceIds, spanIds, attributes }: LogBatch): Kept[] {
  return bodies.map((body, row) => ({
    body,
    trace: traceIds[row] ?? "",
    span: spanIds[row] ?? "",
    attributes: Object.fromEntries(
      attributes.flatMap(({ name, type, values }) => {
        const value = values[row];
        return value === undefined ? [] : [[name, `${type} ${value}`]];
      }),
    ),
  }));
}

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("trace ids in bodies", () => {
  test.each<[body: string, trace: string, span: string]>([
    [`GET / trace_id=${TRACE} span_id=${SPAN}`, TRACE, SPAN],
    [`{"msg":"x","traceId":"${TRACE}","spanId":"${SPAN}"}`, TRACE, SPAN],
    [`{"trace_id": "${TRACE.toUpperCase()}"}`, TRACE, ""],
    [`TraceID: ${TRACE}`, TRACE, ""],
    [`trace.id=${TRACE}, trace.id=${"1".repeat(32)}`, TRACE, ""],
    [`TRACE_ID=${TRACE}`, TRACE, ""],
    [`traceparent: 00-${TRACE}-${SPAN}-01`, TRACE, SPAN],
    [`"traceparent":"00-${TRACE}-${SPAN}-01"`, TRACE, SPAN],
    [`trace_id=${"0".repeat(32)}`, "", ""],
    [`trace_id=${TRACE}ab`, "", ""],
    [`trace_id=${TRACE.slice(1)}`, "", ""],
    [`span_id=${SPAN}`, "", ""],
    [`no ids, but a race: ${TRACE}`, "", ""],
    [`${" ".repeat(9_000)}trace_id=${TRACE}`, "", ""],
  ])("%s", async (body, trace, span) => {
    expect(await through(undefined, [{ body }])).toEqual([{ body, trace, span, attributes: {} }]);
  });

  test("what a record says itself stays", async () => {
    const own = { traceId: "ab".repeat(16), spanId: "cd".repeat(8) };
    const [kept] = await through(undefined, [{ body: `trace_id=${TRACE}`, ...own }]);
    expect(kept).toMatchObject({ trace: own.traceId, span: own.spanId });
  });

  test("are not looked for where that is switched off", async () => {
    const [kept] = await through({ find_trace_ids: false }, [{ body: `trace_id=${TRACE}` }]);
    expect(kept?.trace).toBe("");
  });
});

describe("attributes in bodies", () => {
  test.each<[format: string, body: string, attributes: Record<string, string>]>([
    [
      "json",
      '{"a":"x","n":12,"d":1.5,"b":true,"nil":null}',
      { a: "string x", n: "int 12", d: "double 1.5", b: "bool true" },
    ],
    [
      "json",
      '{"user":{"id":"u1","tags":[1,2]},"l":[]}',
      { "user.id": "string u1", "user.tags": "json [1,2]", l: "json []" },
    ],
    ["json", '{"a":{"b":{"c":{"d":{"e":1}}}}}', { "a.b.c.d": 'json {"e":1}' }],
    ["json", '  {"a":1}\n', { a: "int 1" }],
    ["json", '{"a":1', {}],
    ["json", "[1]", {}],
    ["json", "a=1", {}],
    ["json", '{"__proto__":{"x":1},"constructor":"y"}', { "__proto__.x": "int 1", constructor: "string y" }],
    [
      "logfmt",
      'a=1 b="two \\"words\\"" c=x/y d=1.50 e=1.5 f=007 g=true h= flag',
      {
        a: "int 1",
        b: 'string two "words"',
        c: "string x/y",
        d: "string 1.50",
        e: "double 1.5",
        f: "string 007",
        g: "bool true",
      },
    ],
    ["logfmt", '{"a":1}', {}],
    ["logfmt", "http://x?a=b done in=3ms", { in: "string 3ms" }],
    ["auto", '{"a":1}', { a: "int 1" }],
    ["auto", "a=1", { a: "int 1" }],
    ["auto", '{"a":1} b=2', { b: "int 2" }],
    ["off", '{"a":1}', {}],
  ])("%s: %s", async (parse_bodies, body, attributes) => {
    const kept = await through({ parse_bodies }, [{ body }]);
    expect(kept).toEqual([{ body, trace: "", span: "", attributes }]);
  });

  test("those that the record came with stay", async () => {
    const records = [{ body: '{"a":1,"b":2}', attributes: { a: "own" } }, { body: '{"a":3}' }];
    const kept = await through({ parse_bodies: "json" }, records);
    expect(kept.map(({ attributes }) => attributes)).toEqual([{ a: "string own", b: "int 2" }, { a: "int 3" }]);
  });

  test("are bounded in number, whatever is sent", async () => {
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i])));
    const records = Array.from({ length: 200 }, (_, row) => ({ body: `{"row${row}":1}` }));
    const kept = await through({ parse_bodies: "json" }, [{ body: many }, ...records]);
    expect(Object.keys(kept[0]?.attributes ?? {})).toHaveLength(64);
    expect(kept).toHaveLength(201);
  });
});

test("several lines and colours stay as they came", async () => {
  const body = "\u001b[31mpanic\u001b[0m: oh\n\tat main.go:17\n";
  expect(await through({ parse_bodies: "auto", ingested_at: true }, [{ body }])).toMatchObject([{ body }]);
});

test("says when a record was received, whatever its sender says", async () => {
  const before = Date.now();
  const [kept] = await through({ ingested_at: true }, [{ body: "x", attributes: { ingested_at: "yesterday" } }]);
  const [type, ns = ""] = kept?.attributes.ingested_at?.split(" ") ?? [];
  expect(type).toBe("int");
  expect(Number(BigInt(ns) / 1_000_000n)).toBeGreaterThanOrEqual(before);
  expect(Number(BigInt(ns) / 1_000_000n)).toBeLessThanOrEqual(Date.now());
});
