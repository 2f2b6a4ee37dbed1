import type { AttributeColumn } from "@sightline/model/attributes.ts";
import { NO_SCOPE } from "@sightline/model/attributes.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { describe, expect, test } from "vitest";
import { type HeldTrace, HeldTraces } from "./held-traces.ts";
import { TailPolicy } from "./tail-policy.ts";
import { tailPolicy } from "./tail-sampling-config.ts";

type Span = {
  readonly startMs?: number;
  readonly durationMs?: number;
  readonly status?: number;
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, string>>;
};

const TRACE = "0123456789abcdef0123456789abcdef";

function batchOf(spans: readonly Span[], traceId = TRACE): SpanBatch {
  const names = [...new Set(spans.flatMap(({ attributes = {} }) => Object.keys(attributes)))];
  const attributes: AttributeColumn[] = names.map((name) => ({
    name,
    type: "string",
    values: spans.map((span) => span.attributes?.[name]),
  }));
  const texts = spans.map(() => "");
  return {
    length: spans.length,
    sources: [
      { resource: [{ name: "service.name", type: "string", value: "shop" }], scope: NO_SCOPE, resourceSchemaUrl: "" },
    ],
    sourceRefs: new Uint32Array(spans.length),
    traceIds: spans.map(() => traceId),
    spanIds: spans.map((_, i) => i.toString(16).padStart(16, "0")),
    parentSpanIds: texts,
    traceStates: texts,
    flags: new Uint32Array(spans.length),
    names: spans.map(({ name = "GET /" }) => name),
    kinds: new Uint8Array(spans.length),
    startsNs: BigInt64Array.from(spans, ({ startMs = 0 }) => BigInt(startMs) * 1_000_000n),
    durationsNs: BigInt64Array.from(spans, ({ durationMs = 10 }) => BigInt(durationMs) * 1_000_000n),
    statusCodes: Uint8Array.from(spans, ({ status = 0 }) => status),
    statusMessages: texts,
    attributes,
    events: [],
    links: [],
  };
}

/** Every span came in a request of its own. */
function traceOf(spans: readonly Span[], traceId = TRACE): HeldTrace {
  const held = new HeldTraces();
  for (const [i, span] of spans.entries()) held.add(batchOf([span], traceId), i + 1, 0);
  return held.get(traceId) as HeldTrace;
}

function holds(policy: Record<string, unknown>, spans: readonly Span[], traceId = TRACE): boolean {
  const made = new TailPolicy(tailPolicy.parse({ name: "p", ...policy }));
  return made.holdsFor(traceId, traceOf(spans, traceId), 0);
}

const slow = [{ durationMs: 300 }, { startMs: 400, durationMs: 300 }];
const quick = [{ durationMs: 3 }, { startMs: 1, durationMs: 1 }];
const failed = [{}, { status: 2 }, {}];
const checkout = [{ name: "GET /cart" }, { name: "POST /checkout", attributes: { "http.status_code": "503" } }];

describe("a policy holds for a trace", () => {
  test.each([
    ["of any kind without conditions", {}, quick],
    ["by the time from its first start to its last end", { min_duration_ms: 700 }, slow],
    ["that is short enough", { max_duration_ms: 3 }, quick],
    ["when one of its spans has the status", { status: "error" }, failed],
    ["when one of its spans matches", { match: { name: "POST .*" } }, checkout],
    ["when its resource matches", { match: { resource: { "service.name": "sh.*" } } }, quick],
    ["when a number is within bounds", { number: { attribute: "http.status_code", min: 500, max: 599 } }, checkout],
    ["when no span matches what it excepts", { unless: { name: "GET /health" } }, checkout],
    ["with enough spans", { min_spans: 3 }, failed],
    ["with few enough spans", { max_spans: 3 }, failed],
    ["when all conditions hold", { match: { name: "GET.*" }, min_spans: 2, max_duration_ms: 50 }, checkout],
  ])("%s", (_, policy, spans) => expect(holds(policy, spans)).toBe(true));
});

describe("a policy does not hold for a trace", () => {
  test.each([
    ["that is too short", { min_duration_ms: 701 }, slow],
    ["that is too long", { max_duration_ms: 2 }, quick],
    ["without a span of that status", { status: "error" }, slow],
    ["without a span that matches", { match: { name: "PUT .*" } }, checkout],
    ["whose number is outside", { number: { attribute: "http.status_code", max: 499 } }, checkout],
    ["whose attribute is no number", { number: { attribute: "service.name", min: 0 } }, checkout],
    ["with a span that is excepted", { unless: { name: "GET /cart" } }, checkout],
    ["with too few spans", { min_spans: 4 }, failed],
    ["with too many spans", { max_spans: 2 }, failed],
    ["when one of the conditions fails", { match: { name: "GET.*" }, min_spans: 3 }, checkout],
    ["of which it takes none", { ratio: 0 }, quick],
  ])("%s", (_, policy, spans) => expect(holds(policy, spans)).toBe(false));
});

test("a ratio goes by the trace id alone: a tenth of them, whoever asks", () => {
  const ids = Array.from({ length: 2_000 }, (_, i) => Buffer.from(`trace-number-${i}`.padEnd(16)).toString("hex"));
  const spread = ids.map((_, i) => (BigInt(i) * 0x9e3779b97f4a7c15n).toString(16).slice(-16).padStart(32, "0"));
  const kept = spread.filter((id) => holds({ ratio: 0.1 }, quick, id));
  expect(kept.length).toBeGreaterThan(150);
  expect(kept.length).toBeLessThan(250);
  expect(spread.filter((id) => holds({ ratio: 0.1 }, slow, id))).toEqual(kept);
});

test("a rate lets so many spans through a second and leaves the rest to others", () => {
  const policy = new TailPolicy(tailPolicy.parse({ name: "p", max_spans_per_second: 10 }));
  const ask = (nowMs: number) => policy.holdsFor(TRACE, traceOf(failed), nowMs);
  expect([0, 0, 0, 0, 0].map(ask)).toEqual([true, true, true, true, false]);
  expect([1_000, 1_000, 1_000, 1_000].map(ask)).toEqual([true, true, true, false]);
});
