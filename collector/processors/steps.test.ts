import type { LogBatch } from "@sightline/model/log-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { Decoder } from "@sightline/proto/decoder.ts";
import { afterEach, describe, expect, test } from "vitest";
import { collectorConfig } from "../config.ts";
import { decoderOptions } from "../decoder-options.ts";
import { makePipelines } from "../limits/make-pipelines.ts";
import { TestCollector } from "../testing/test-collector.ts";
import { finish } from "./steps.ts";

const RECORDS = 3_000;
const timeUnixNano = "1790000000000000000";
const body = JSON.stringify({
  resourceLogs: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
      scopeLogs: [
        {
          logRecords: Array.from({ length: RECORDS }, (_, i) => ({
            timeUnixNano,
            severityNumber: 9,
            body: { stringValue: `order ${i} of ann@example.org` },
            attributes: [{ key: "user", value: { stringValue: `u-${i}` } }],
          })),
        },
      ],
    },
  ],
});

describe("a large request", () => {
  test.each([
    ["filter", { kind: "filter", action: "drop", match: [{ body: "order .*7 of" }] }, 2_700],
    ["attributes", { kind: "attributes", actions: [{ action: "hash", key: "user" }] }, RECORDS],
    ["sample_logs", { kind: "sample_logs", info: 0.5 }, undefined],
    ["redact", { kind: "redact", patterns: [{ find: "email" }] }, RECORDS],
    ["limit_storms", { kind: "limit_storms", max_per_second: 5 }, 6],
  ])("goes through %s in steps", (_, processor, kept) => {
    const config = collectorConfig.parse({ tenants: { processors: { logs: [processor] } } });
    const { logs } = makePipelines(config.tenants, { tenant: DEFAULT_TENANT, maxSeries: 10 });
    const decoder = new Decoder(decoderOptions(config));
    const receivedAtMs = 1_790_000_000_000;
    const request = { tenant: DEFAULT_TENANT, protocol: "otlp-logs-json", encoding: "identity", receivedAtMs } as const;
    const { batch } = decoder.decode({ ...request, body: Buffer.from(body) });
    const steps = logs?.run(batch as LogBatch, receivedAtMs);
    let pauses = 0;
    for (let step = steps?.next(); step && !step.done; step = steps?.next()) pauses++;
    expect(pauses).toBeGreaterThan(RECORDS / 300);
    const again = decoder.decode({ ...request, body: Buffer.from(body) }).batch as LogBatch;
    const { batch: result } = finish(makeAgain(config).run(again, receivedAtMs));
    if (kept !== undefined) expect(result).toHaveLength(kept);
    else expect(result.length).toBeLessThan(RECORDS);
  });
});

function makeAgain(config: ReturnType<typeof collectorConfig.parse>) {
  const { logs } = makePipelines(config.tenants, { tenant: DEFAULT_TENANT, maxSeries: 10 });
  if (!logs) throw new Error("nothing happens to logs");
  return logs;
}

describe("large and small requests of a tenant at the same time", () => {
  let collector: TestCollector | undefined;
  afterEach(() => collector?.stop());

  test("are decided about one after the other: every record is there or counted", async () => {
    collector = new TestCollector({
      tenants: {
        processors: {
          logs: [
            { kind: "redact", patterns: [{ find: "email" }] },
            { kind: "limit_storms", max_per_second: 5 },
          ],
        },
      },
    });
    await collector.start();
    const small = body.replace(/"logRecords":\[(\{.*?\}\]\}),.*\]\}\]\}\]\}$/, '"logRecords":[$1]}]}]}');
    const bodies = [body, small, body, small];
    const answers = await Promise.all(
      bodies.map((each) => collector?.post("/v1/logs", each, { "content-type": "application/json" })),
    );
    expect(answers.map((answer) => answer?.status)).toEqual([200, 200, 200, 200]);
    let records = 0;
    for (const { batch } of collector.logs.taken) {
      const counts = batch.attributes.find(({ name }) => name === "sightline.storm.count")?.values ?? [];
      for (let row = 0; row < batch.length; row++) records += Number(counts[row] ?? 1);
      expect(batch.bodies.some((text) => text.includes("@"))).toBe(false);
    }
    expect(records).toBe(2 * RECORDS + 2);
  });
});
