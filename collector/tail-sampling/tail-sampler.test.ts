import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UnavailableError } from "@sightline/model/errors.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { AppendResult, Store } from "@sightline/model/ports.ts";
import type { SharedCache } from "@sightline/model/shared-state.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { DEFAULT_TENANT, type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { Decoder } from "@sightline/proto/decoder.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { collectorConfig } from "../config.ts";
import { DeadLetters } from "../dead-letters/dead-letters.ts";
import { decoderOptions } from "../decoder-options.ts";
import { Ingest } from "../ingest.ts";
import { eventually } from "../testing/eventually.ts";
import { RecordingStore } from "../testing/recording-store.ts";
import { WriteAheadLog } from "../wal/write-ahead-log.ts";
import { SharedVerdicts } from "./shared-verdicts.ts";

/** The store as one process sees it: when that has crashed, nothing it still had under way arrives. */
class OneLife implements Store<SpanBatch> {
  readonly name = "one life";
  #isOver = false;

  end(): void {
    this.#isOver = true;
  }

  async start() {}
  async stop() {}
  append(tenant: TenantId, batch: SpanBatch, position: number): Promise<AppendResult> {
    return this.#isOver ? new Promise(() => {}) : traces.append(tenant, batch, position);
  }
  firstUnflushedPosition() {
    // Nor does it shorten the log any more.
    return this.#isOver ? 0 : traces.firstUnflushedPosition();
  }
  async flush() {
    if (!this.#isOver) await traces.flush();
  }
}

const POLICIES = [
  { name: "errors", status: "error" },
  { name: "few", match: { name: "rare" }, ratio: 0.9 },
];

let root: string;
let registry: Registry;
let running: { wal: WriteAheadLog; ingest: Ingest; store: OneLife } | undefined;
const traces = new RecordingStore<SpanBatch>();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "collector-tail-"));
  traces.taken.length = 0;
});
afterEach(async () => {
  await running?.ingest.stop();
  await running?.wal.stop();
  running = undefined;
  traces.onAppend = () => {};
  rmSync(root, { recursive: true, force: true });
});

async function start(tail: Record<string, unknown> = {}, sharedVerdicts?: SharedCache): Promise<Ingest> {
  registry = new Registry();
  const tail_sampling = { policies: POLICIES, decision_wait_ms: 100, ...tail };
  const config = collectorConfig.parse({
    wal: { segment_bytes: 65_536, preallocate: false, truncate_interval_ms: 20 },
    stores: { max_retry_delay_ms: 20 },
    tenants: { tail_sampling },
  });
  const common = { logger: SILENT_LOGGER, registry };
  const wal = new WriteAheadLog({ ...common, dir: join(root, "wal"), config: config.wal });
  const deadLetters = new DeadLetters({ ...common, dir: join(root, "dead"), config: config.dead_letters });
  const decoder = new Decoder(decoderOptions(config));
  const store = new OneLife();
  const ingest = new Ingest({
    ...common,
    wal,
    decoder,
    stores: { traces: store },
    deadLetters,
    config,
    sharedVerdicts,
  });
  await wal.start();
  await ingest.start();
  running = { wal, ingest, store };
  return ingest;
}

/** The process ends without any farewell; what the store had not made durable is gone. */
async function crash(): Promise<void> {
  running?.store.end();
  await running?.wal.stop();
  running = undefined;
  traces.crash();
}

type Span = { readonly trace: number; readonly span: number; readonly name?: string; readonly isError?: boolean };

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
const idOf = ({ trace, span }: Span) => `${hex(trace, 32)}/${hex(span, 16)}`;

async function send(ingest: Ingest, spans: readonly Span[], tenant = DEFAULT_TENANT): Promise<void> {
  const body = JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
        scopeSpans: [
          {
            spans: spans.map(({ trace, span, name = "GET /", isError = false }) => ({
              traceId: hex(trace, 32),
              spanId: hex(span, 16),
              name,
              startTimeUnixNano: `${BigInt(Date.now()) * 1_000_000n}`,
              endTimeUnixNano: `${BigInt(Date.now()) * 1_000_000n + 5n}`,
              attributes: [{ key: `k${span % 3}`, value: { intValue: span } }],
              ...(isError && { status: { code: 2 } }),
            })),
          },
        ],
      },
    ],
  });
  const protocol = "otlp-traces-json";
  const receivedAtMs = Date.now();
  await ingest.submit({ tenant, protocol, encoding: "identity", receivedAtMs, body: Buffer.from(body) });
}

function stored(): string[] {
  return traces.taken.flatMap(({ batch }) => batch.traceIds.map((id, row) => `${id}/${batch.spanIds[row]}`)).toSorted();
}

/** Decides about everything that waits, whatever the time. */
async function decideAll({ memoryParts }: Ingest): Promise<void> {
  for (const { flush } of memoryParts) await flush?.();
}

async function metric(name: string, labels: Record<string, string> = {}): Promise<number> {
  const values = (await registry.getSingleMetric(name)?.get())?.values ?? [];
  const wanted = values.filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value));
  return wanted.reduce((sum, { value }) => sum + value, 0);
}

test("a trace is stored whole when one of its spans, in whatever request, makes a policy hold", async () => {
  const ingest = await start({ decision_wait_ms: 3_600_000 });
  await send(ingest, [
    { trace: 1, span: 1 },
    { trace: 2, span: 2 },
  ]);
  await send(ingest, [
    { trace: 1, span: 3, isError: true },
    { trace: 2, span: 4 },
  ]);
  expect(stored()).toEqual([]);
  await decideAll(ingest);
  const kept = [idOf({ trace: 1, span: 1 }), idOf({ trace: 1, span: 3 })];
  await eventually(() => expect(stored()).toEqual(kept));
  await eventually(async () => expect(await metric("sightline_tail_sampling_held_spans")).toBe(0));
  expect(stored()).toEqual(kept);
  expect(await metric("sightline_tail_sampling_spans_total", { decision: "keep" })).toBe(2);
  expect(await metric("sightline_tail_sampling_spans_total", { decision: "drop" })).toBe(2);
});

test("what is stored is as it was sent, and says which policy kept it at which ratio", async () => {
  const ingest = await start({ decision_wait_ms: 3_600_000 });
  await send(ingest, [{ trace: Number.MAX_SAFE_INTEGER, span: 7, name: "rare" }]);
  await send(ingest, [{ trace: Number.MAX_SAFE_INTEGER, span: 8 }]);
  await decideAll(ingest);
  await eventually(() => expect(stored()).toHaveLength(2));
  const batch = traces.taken[0]?.batch as SpanBatch;
  expect(batch.names).toEqual(["rare", "GET /"]);
  expect(batch.durationsNs).toEqual(BigInt64Array.of(5n, 5n));
  expect(batch.sources.map(({ resource }) => resource)).toContainEqual([
    { name: "service.name", type: "string", value: "shop" },
  ]);
  const values = Object.fromEntries(batch.attributes.map(({ name, values }) => [name, values]));
  expect(values).toEqual({
    k1: ["7", undefined],
    k2: [undefined, "8"],
    "sightline.sampling.policy": ["few", "few"],
    "sightline.sampling.ratio": ["0.9", "0.9"],
  });
});

test("late spans follow what was decided about their trace", async () => {
  const ingest = await start();
  await send(ingest, [
    { trace: 1, span: 1, isError: true },
    { trace: 2, span: 2 },
  ]);
  await eventually(() => expect(stored()).toHaveLength(1));
  await eventually(async () => expect(await metric("sightline_tail_sampling_held_spans")).toBe(0));
  await send(ingest, [
    { trace: 1, span: 3 },
    { trace: 2, span: 4, isError: true },
  ]);
  await eventually(() => expect(stored()).toHaveLength(2));
  await eventually(async () => expect(await metric("sightline_tail_sampling_held_spans")).toBe(0));
  expect(stored()).toEqual([idOf({ trace: 1, span: 1 }), idOf({ trace: 1, span: 3 })]);
  expect(await metric("sightline_tail_sampling_spans_total", { decision: "drop" })).toBe(2);
});

test("when too much waits, those that wait longest are decided at once", async () => {
  const ingest = await start({ decision_wait_ms: 3_600_000, max_held_spans: 1_000 });
  for (let trace = 1; trace <= 15; trace++) {
    await send(
      ingest,
      Array.from({ length: 100 }, (_, i) => ({ trace, span: i + 1, isError: true })),
    );
  }
  await eventually(() => expect(stored()).toHaveLength(500));
  expect(new Set(stored().map((id) => id.slice(0, 32)))).toEqual(new Set([1, 2, 3, 4, 5].map((i) => hex(i, 32))));
});

test("spans of a tenant without policies do not wait", async () => {
  const ingest = await start({ policies: [] });
  await send(ingest, [{ trace: 1, span: 1 }], tenantId("other"));
  expect(stored()).toHaveLength(1);
});

test("what waited before a start without policies is kept", async () => {
  await send(await start({ decision_wait_ms: 3_600_000 }), [{ trace: 1, span: 1 }]);
  await crash();
  await start({ policies: [] });
  await eventually(() => expect(stored()).toHaveLength(1));
});

test("a store that is not available gets the spans later, once", async () => {
  const ingest = await start();
  let failures = 3;
  traces.onAppend = () => {
    if (failures-- > 0) throw new UnavailableError("down", { retryAfterMs: 1 });
  };
  await send(ingest, [{ trace: 1, span: 1, isError: true }]);
  await eventually(() => expect(stored()).toHaveLength(1));
  await sleep(250);
  expect(stored()).toHaveLength(1);
});

test("whatever crashes come in between, acknowledged spans of kept traces are stored once and others never", async () => {
  const kept: Span[] = [];
  let spans = 0;
  for (let round = 0; round < 8; round++) {
    const ingest = await start();
    for (let i = 0; i < 12; i++) {
      // The first ones of the round belong to traces of the round before.
      const trace = round * 10 + (i % 5) - (i < 3 ? 10 : 0) + 100;
      const isError = trace % 2 === 0;
      const sent = [{ trace, span: ++spans, isError }];
      await send(ingest, sent);
      if (isError) kept.push(...sent);
      if (i % 4 === 3) await sleep(60);
      if (i === 5 && round % 2 === 0) await traces.flush();
    }
    await crash();
  }
  await start();
  const wanted = kept.map(idOf).toSorted();
  await eventually(() => expect(stored()).toEqual(wanted));
  await eventually(async () => expect(await metric("sightline_tail_sampling_held_spans")).toBe(0));
  expect(stored()).toEqual(wanted);
});

test("when memory is short it is decided about what waits", async () => {
  const ingest = await start({ decision_wait_ms: 3_600_000 });
  await send(ingest, [{ trace: 1, span: 1, isError: true }]);
  const held = ingest.memoryParts.find(({ name }) => name === "held_traces");
  expect(held?.memoryBytes()).toBeGreaterThan(0);
  await held?.flush?.();
  await eventually(() => expect(stored()).toHaveLength(1));
  await eventually(() => expect(held?.memoryBytes()).toBe(0));
});

/** Of two collectors whose tail sampling sees half of a trace each. */
class TestCache implements SharedCache {
  readonly maxBytes = 1_000;
  readonly kept = new Map<string, Uint8Array>();
  asked = 0;

  async get(key: string) {
    this.asked++;
    return this.kept.get(key);
  }
  async put(key: string, bytes: Uint8Array) {
    this.kept.set(key, bytes);
  }
}

test("a trace of which another collector keeps a part is kept here, too, also when that one says so later", async () => {
  const cache = new TestCache();
  const ingest = await start({ agreement_wait_ms: 60_000 }, cache);
  const elsewhere = new SharedVerdicts(cache);
  await elsewhere.keep(DEFAULT_TENANT, hex(1, 32), { policy: "errors", ratio: 1 });
  await send(ingest, [
    { trace: 1, span: 1 },
    { trace: 2, span: 2, isError: true },
    { trace: 3, span: 3 },
  ]);
  await eventually(async () => expect(stored()).toEqual([idOf({ trace: 1, span: 1 }), idOf({ trace: 2, span: 2 })]));
  // What this one keeps others are told; the third one waits for them.
  expect(await elsewhere.keptBy(DEFAULT_TENANT, hex(2, 32))).toEqual({ policy: "errors", ratio: 1 });
  await eventually(async () => expect(await metric("sightline_tail_sampling_held_spans")).toBe(1));
  await elsewhere.keep(DEFAULT_TENANT, hex(3, 32), { policy: "slow", ratio: 1 });
  // When memory is short nobody waits any longer; whoever keeps the trace is asked all the same.
  await decideAll(ingest);
  await eventually(async () => expect(stored()).toHaveLength(3));
});

test("a trace that nobody keeps is dropped when others have had their time", async () => {
  const cache = new TestCache();
  const ingest = await start({ agreement_wait_ms: 1 }, cache);
  await send(ingest, [{ trace: 1, span: 1 }]);
  await eventually(async () =>
    expect(await metric("sightline_tail_sampling_traces_total", { decision: "drop" })).toBe(1),
  );
  expect(cache.asked).toBe(2);
  expect(stored()).toEqual([]);
});
