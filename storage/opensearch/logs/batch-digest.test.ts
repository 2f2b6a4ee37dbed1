import { NO_SCOPE } from "@sightline/model/attributes.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { describe, expect, test } from "vitest";
import { LogCodec } from "./log-codec.ts";

const codec = new LogCodec({ search_context: false });
const streamOf = (name: string) => ({ labels: [["service_name", name] as const], resource: [], scope: NO_SCOPE });
const batch = (bodies: readonly string[], more: Partial<LogBatch> = {}): LogBatch => {
  const none = bodies.map(() => "");
  return {
    length: bodies.length,
    streams: [streamOf("a")],
    streamRefs: new Uint32Array(bodies.length),
    timesNs: BigInt64Array.from(bodies, (_, i) => BigInt(i)),
    observedNs: new BigInt64Array(bodies.length),
    severities: new Uint8Array(bodies.length),
    severityTexts: none,
    bodies,
    traceIds: none,
    spanIds: none,
    attributes: [],
    ...more,
  };
};
const digest = (of: LogBatch) => codec.digestOf(DEFAULT_TENANT, of);
const texts = (...values: readonly (string | undefined)[]) => [{ name: "k", type: "string" as const, values }];

describe("the digest of a batch", () => {
  test("is the same for equal ones, in every process", () => {
    expect(digest(batch(["a", "b"]))).toBe(digest(batch(["a", "b"])));
    expect(digest(batch(["a", "b"]))).toMatch(/^[\w-]{16}$/);
  });

  test.each<[string, LogBatch]>([
    ["a line", batch(["a", "c"])],
    ["where lines end", batch(["ab", ""])],
    ["the order", batch(["b", "a"])],
    ["one row more", batch(["a", "b", ""])],
    ["times", batch(["a", "b"], { timesNs: BigInt64Array.of(0n, 2n) })],
    ["a severity", batch(["a", "b"], { severities: Uint8Array.of(0, 9) })],
    ["a trace id", batch(["a", "b"], { traceIds: ["", "0af7651916cd43dd8448eb211c80319c"] })],
    ["an attribute", batch(["a", "b"], { attributes: texts("x", undefined) })],
    ["whose attribute it is", batch(["a", "b"], { attributes: texts(undefined, "x") })],
    ["the stream", batch(["a", "b"], { streams: [streamOf("b")] })],
  ])("tells %s", (_, other) => {
    expect(digest(other)).not.toBe(digest(batch(["a", "b"])));
  });

  test("tells tenants, and no attribute from an empty one", () => {
    expect(codec.digestOf(tenantId("other"), batch(["a"]))).not.toBe(digest(batch(["a"])));
    expect(digest(batch(["a"], { attributes: texts("") }))).not.toBe(
      digest(batch(["a"], { attributes: texts(undefined) })),
    );
  });
});
