import { type Labels, labelsFrom, labelValue } from "@sightline/model/labels.ts";
import { NO_INFO } from "@sightline/model/metric-batch.ts";
import { TextSealer } from "@sightline/model/sealed-text.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import { afterEach, describe, expect, test } from "vitest";
import { TestCollector } from "../testing/test-collector.ts";
import { attributesConfig, attributesSeries } from "./attributes.ts";
import { filterConfig, filterSeries } from "./filter.ts";
import { PERSONAL_DATA, type PersonalData } from "./personal-data.ts";
import { redactConfig, redactSeries } from "./redact.ts";
import { isSampled } from "./sample-traces.ts";

let collector: TestCollector | undefined;
afterEach(async () => {
  await collector?.stop();
  collector = undefined;
});

const timeUnixNano = "1790000000000000000";
type Attrs = Record<string, string | number>;
const attributes = (attrs: Attrs = {}) =>
  Object.entries(attrs).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) },
  }));
type LogInput = { body: string; severity?: number; attrs?: Attrs; traceId?: string };
const logs = (records: readonly LogInput[], resource: Attrs = { "service.name": "shop" }) =>
  JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: attributes(resource) },
        scopeLogs: [
          {
            logRecords: records.map(({ body, severity, attrs, traceId }) => ({
              timeUnixNano,
              severityNumber: severity ?? 9,
              body: { stringValue: body },
              attributes: attributes(attrs),
              ...(traceId ? { traceId } : {}),
            })),
          },
        ],
      },
    ],
  });

async function send(path: string, processors: Record<string, unknown[]>, ...bodies: string[]): Promise<TestCollector> {
  const made = new TestCollector({ tenants: { processors } });
  collector = made;
  await made.start();
  for (const body of bodies) {
    const answer = await made.post(path, body, { "content-type": "application/json" });
    expect([answer.status, await answer.text()]).toEqual([200, "{}"]);
  }
  return made;
}

type Shown = { body: string; attrs: Record<string, string>; resource: Record<string, string>; labels: unknown };
async function logsThrough(processors: unknown[], ...bodies: string[]): Promise<Shown[]> {
  const { logs } = await send("/v1/logs", { logs: processors }, ...bodies);
  return logs.taken.flatMap(({ batch }) =>
    Array.from({ length: batch.length }, (_, row) => {
      const stream = batch.streams[batch.streamRefs[row] as number];
      return {
        body: batch.bodies[row] as string,
        attrs: Object.fromEntries(
          batch.attributes.flatMap(({ name, values }) => (values[row] === undefined ? [] : [[name, values[row]]])),
        ),
        resource: Object.fromEntries((stream?.resource ?? []).map(({ name, value }) => [name, value])),
        labels: Object.fromEntries(stream?.labels ?? []),
      };
    }),
  );
}

describe("filter", () => {
  const records: LogInput[] = [
    { body: "GET /health", attrs: { path: "/health" } },
    { body: "GET /cart", attrs: { path: "/cart" }, severity: 17 },
    { body: "noise", severity: 5 },
  ];
  test.each<[object, string[]]>([
    [{ match: [{ attributes: { path: "/hea.*" } }] }, ["GET /cart", "noise"]],
    [{ match: [{ attributes: { path: "hea" } }] }, ["GET /health", "GET /cart", "noise"]],
    [{ match: [{ body: "GET" }] }, ["noise"]],
    [{ match: [{ max_severity: "debug" }] }, ["GET /health", "GET /cart"]],
    [{ action: "keep", match: [{ min_severity: "error" }] }, ["GET /cart"]],
    [{ match: [{ body: "noise" }, { attributes: { path: "/cart" } }] }, ["GET /health"]],
    [{ match: [{ body: "GET", attributes: { path: "/cart" } }] }, ["GET /health", "noise"]],
    [{ match: [{ resource: { "service.name": "shop" } }] }, []],
  ])("%j", async (config, want) => {
    const kept = await logsThrough([{ kind: "filter", ...config }], logs(records));
    expect(kept.map(({ body }) => body)).toEqual(want);
  });

  test("of series", () => {
    const filter = filterSeries(
      filterConfig.parse({ kind: "filter", match: [{ name: "go_.*", attributes: { job: "x" } }] }),
    );
    const isDropped = (labels: Record<string, string>) => "kind" in filter.map(labelsFrom(labels), NO_INFO);
    expect(isDropped({ __name__: "go_gc", job: "x" })).toBe(true);
    expect(isDropped({ __name__: "go_gc", job: "y" })).toBe(false);
  });
});

describe("attributes", () => {
  test.each<[object[], Record<string, string>]>([
    [[{ action: "set", key: "a", value: "x" }], { a: "x", n: "5" }],
    [[{ action: "insert", key: "a", value: "x" }], { a: "1", n: "5" }],
    [[{ action: "insert", key: "z", value: 7 }], { a: "1", n: "5", z: "7" }],
    [[{ action: "update", key: "z", value: "x" }], { a: "1", n: "5" }],
    [[{ action: "update", key: "n", value: true }], { a: "1", n: "true" }],
    [[{ action: "delete", key: "n" }], { a: "1" }],
    [[{ action: "rename", key: "n", to: "m" }], { a: "1", m: "5" }],
    [[{ action: "rename", key: "n", to: "a" }], { a: "5" }],
    [[{ action: "set", key: "copy", from: "n" }], { a: "1", n: "5", copy: "5" }],
    [[{ action: "hash", key: "a" }], { a: "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", n: "5" }],
  ])("%j", async (actions, want) => {
    const [record] = await logsThrough(
      [{ kind: "attributes", actions }],
      logs([{ body: "", attrs: { a: "1", n: 5 } }]),
    );
    expect(record?.attrs).toEqual(want);
  });

  test("only of rows that match", async () => {
    const config = { kind: "attributes", match: { body: "^x" }, actions: [{ action: "set", key: "a", value: "1" }] };
    const kept = await logsThrough([config], logs([{ body: "x" }, { body: "y" }]));
    expect(kept.map(({ attrs }) => attrs)).toEqual([{ a: "1" }, {}]);
  });

  test("of the resource, and the index labels follow", async () => {
    const actions = [
      { action: "set", key: "service.name", value: "store" },
      { action: "delete", key: "k8s.pod.name" },
    ];
    const resource = { "service.name": "shop", "k8s.pod.name": "p-1" };
    const [record] = await logsThrough(
      [{ kind: "attributes", on: "resource", actions }],
      logs([{ body: "" }], resource),
    );
    expect(record).toMatchObject({ resource: { "service.name": "store" }, labels: { service_name: "store" } });
    expect(record?.labels).not.toHaveProperty("k8s_pod_name");
  });

  test("of series are their labels", () => {
    const config = {
      kind: "attributes",
      actions: [
        { action: "rename", key: "a", to: "b" },
        { action: "delete", key: "__name__" },
      ],
    };
    const series = attributesSeries(attributesConfig.parse(config));
    expect(series.map(labelsFrom({ __name__: "up", a: "1" }), NO_INFO)).toEqual(labelsFrom({ __name__: "up", b: "1" }));
  });

  test.each([[{ action: "set", key: "a" }], [{ action: "set", key: "a", value: 1, from: "b" }]])(
    "%j is refused",
    (action) => {
      expect(attributesConfig.safeParse({ kind: "attributes", actions: [action] }).success).toBe(false);
    },
  );
});

describe("redact", () => {
  test.each<[PersonalData, string, string]>([
    ["email", "mail ada@example.org now", "mail # now"],
    ["email", "a@b and @ada", "a@b and @ada"],
    ["ipv4", "from 10.0.0.255:80", "from #:80"],
    ["ipv4", "version 1.2.3.4.5 of 999.1.1.1", "version 1.2.3.4.5 of 999.1.1.1"],
    ["credit_card", "card 4111 1111 1111 1111.", "card #."],
    ["credit_card", "order 4111111111111112", "order 4111111111111112"],
    ["iban", "to DE89 3704 0044 0532 0130 00", "to #"],
    ["iban", "DE88370400440532013000", "DE88370400440532013000"],
    ["jwt", "Bearer eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl", "Bearer #"],
    ["us_ssn", "ssn 123-45-6789", "ssn #"],
  ])("finds %s in %s", (kind, text, want) => expect(PERSONAL_DATA[kind](text, () => "#")).toBe(want));

  test("built-in patterns take no long time for long texts that almost match", () => {
    for (const text of [
      "a.".repeat(50_000),
      "1 ".repeat(50_000),
      `@${"a-".repeat(50_000)}@`,
      "eyJ".repeat(30_000),
      "DE12 A".repeat(20_000),
    ]) {
      const start = workedMs();
      for (const replace of Object.values(PERSONAL_DATA)) replace(text, () => "#");
      expect(workedMs() - start).toBeLessThan(5_000);
    }
  });

  test("takes patterns out of texts, and fields out whole", async () => {
    const config = {
      kind: "redact",
      patterns: [{ find: "email" }, { regex: "token=\\w+", action: "drop" }],
      fields: [
        { name: "user\\..*", action: "hash" },
        { name: "password", action: "drop" },
      ],
    };
    const attrs = { "user.id": 7, password: "x", note: "ada@example.org" };
    const kept = await logsThrough(
      [config],
      logs([{ body: "ada@example.org token=abc", attrs }], { owner: "ada@example.org" }),
    );
    expect(kept[0]).toMatchObject({
      body: "[REDACTED] ",
      attrs: { note: "[REDACTED]" },
      resource: { owner: "[REDACTED]" },
    });
    expect(kept[0]?.attrs["user.id"]).toMatch(/^[0-9a-f]{16}$/);
    expect(kept[0]?.attrs).not.toHaveProperty("password");
  });

  test("of series, but not their names", () => {
    const config = redactConfig.parse({ kind: "redact", fields: [{ name: ".*", action: "drop" }] });
    expect(
      redactSeries(config, { tenant: DEFAULT_TENANT, maxSeries: 10 }).map(
        labelsFrom({ __name__: "up", a: "1" }),
        NO_INFO,
      ),
    ).toEqual([["__name__", "up"]]);
  });

  test("encrypts what only those with the key of the same tenant can read again", () => {
    const sealer = new TextSealer(`k1:${Buffer.alloc(32, 7).toString("base64")}`, "keys");
    const context = { tenant: DEFAULT_TENANT, maxSeries: 10, sealer };
    const config = redactConfig.parse({ kind: "redact", fields: [{ name: "user", action: "encrypt" }] });
    const labels = redactSeries(config, context).map(labelsFrom({ user: "ann" }), NO_INFO) as Labels;
    const sealed = labelValue(labels, "user");
    expect(sealed).toMatch(/^sealed:k1:/);
    expect(sealer.open(DEFAULT_TENANT, sealed)).toBe("ann");
    expect(() => sealer.open(tenantId("bank"), sealed)).toThrow("another tenant");
  });

  test("settings that encrypt are refused while there is no key", () => {
    const redact = { kind: "redact", fields: [{ name: "user", action: "encrypt" }] };
    const make = () => new TestCollector({ tenants: { processors: { logs: [redact] } } });
    expect(make).toThrow("collector.tenants: redact with the action encrypt needs a key: set sealing_key_file");
  });
});

describe("sampling", () => {
  const many: LogInput[] = Array.from({ length: 2_000 }, (_, i) => ({ body: `m${i}`, severity: i % 2 === 0 ? 9 : 17 }));

  test("keeps a part of the records by severity, says which, and the same ones again", async () => {
    const config = [{ kind: "sample_logs", info: 0.05 }];
    const kept = await logsThrough(config, logs(many), logs(many));
    const half = kept.slice(0, kept.length / 2);
    expect(kept.slice(kept.length / 2)).toEqual(half);
    const marked = half.filter(({ attrs }) => attrs["sightline.sampling.ratio"] === "0.05");
    expect(half.length - marked.length).toBe(1_000);
    expect(marked.length).toBeGreaterThan(20);
    expect(marked.length).toBeLessThan(90);
  });

  test("keeps the records of a trace together", async () => {
    const traceId = (i: number) => (i + 1).toString(16).padStart(32, "a");
    const records = Array.from({ length: 600 }, (_, i) => ({ body: `${i % 60}`, traceId: traceId(i % 60) }));
    const kept = await logsThrough([{ kind: "sample_logs", info: 0.5 }], logs(records));
    const counts = Map.groupBy(kept, ({ body }) => body);
    expect([...counts.values()].every(({ length }) => length === 10)).toBe(true);
    expect(counts.size).toBeGreaterThan(10);
    expect(counts.size).toBeLessThan(50);
  });

  test("traces that are kept at a ratio are kept at every higher one", () => {
    const ids = Array.from(
      { length: 2_000 },
      (_, i) => `${"0".repeat(18)}${((i * 0x9e3779b97f4a7) % 2 ** 56).toString(16).padStart(14, "0")}`,
    );
    const at = (ratio: number) => new Set(ids.filter((id) => isSampled(id, ratio)));
    expect(at(0.1).isSubsetOf(at(0.5))).toBe(true);
    expect(at(1).size).toBe(2_000);
    expect(at(0).size).toBe(0);
    expect(at(0.5).size / 2_000).toBeCloseTo(0.5, 1);
  });

  test("of traces, with errors always kept", async () => {
    const span = (traceId: string, spanId: string, code: number) => ({
      traceId,
      spanId,
      name: "s",
      startTimeUnixNano: timeUnixNano,
      endTimeUnixNano: timeUnixNano,
      status: { code },
    });
    const [low, high] = ["1".padStart(32, "0"), "f".repeat(32)] as [string, string];
    const spans = [span(low, "a".repeat(16), 0), span(low, "b".repeat(16), 2), span(high, "c".repeat(16), 0)];
    const processors = { traces: [{ kind: "sample_traces", ratio: 0.25, always: [{ status: "error" }] }] };
    const { traces } = await send(
      "/v1/traces",
      processors,
      JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
    );
    const batch = traces.taken[0]?.batch;
    expect(batch?.spanIds).toEqual(["b".repeat(16), "c".repeat(16)]);
    expect(batch?.attributes).toEqual([
      { name: "sightline.sampling.ratio", type: "double", values: [undefined, "0.25"] },
    ]);
  });
});

test("a storm becomes records that say how many they stand for, and a replay sees it the same way", async () => {
  const storm = Array.from({ length: 50 }, (_, i) => ({ body: `retry ${i} of 0xdeadbeef${i}` }));
  const kept = await logsThrough([{ kind: "limit_storms", max_per_second: 10 }], logs([...storm, { body: "other" }]));
  expect(kept.map(({ body }) => body)).toEqual([...storm.slice(0, 11).map(({ body }) => body), "other"]);
  expect(kept.map(({ attrs }) => attrs["sightline.storm.count"])).toEqual([
    ...Array(10).fill(undefined),
    "40",
    undefined,
  ]);
  const [entry] = await (collector as TestCollector).logged();
  expect(entry?.request.decisions?.length).toBeGreaterThan(0);
});
