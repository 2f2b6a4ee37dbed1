import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, zstdCompressSync } from "node:zlib";
import {
  encodeLetter,
  letterId,
  letterPath,
  readDeadLetter,
} from "@sightline/collector/dead-letters/dead-letter-file.ts";
import { EMPTY_BUCKETS, type NativeHistogram } from "@sightline/model/histogram.ts";
import { Manifest } from "@sightline/storage-embedded/files/manifest.ts";
import { indexOfLines as logIndexOfLines } from "@sightline/storage-embedded/logs/log-segment-index.ts";
import { unpackTrailer } from "@sightline/storage-embedded/metrics/block-file.ts";
import { BlockIndex, packBlockIndex } from "@sightline/storage-embedded/metrics/block-index.ts";
import { DataPage, DataPageWriter } from "@sightline/storage-embedded/metrics/data-page.ts";
import { packStreams, unpackStreams } from "@sightline/storage-embedded/metrics/page-streams.ts";
import { parseTenantManifest } from "@sightline/storage-embedded/metrics/tenant-manifest.ts";
import { TimePage, TimePageWriter } from "@sightline/storage-embedded/metrics/time-page.ts";
import { readIndexFile } from "@sightline/storage-embedded/segments/index-file.ts";
import { indexOfLines as spanIndexOfLines } from "@sightline/storage-embedded/traces/span-segment-index.ts";
import { mutateBytes } from "../mutate/bytes.ts";
import { mutateJson } from "../mutate/json.ts";
import type { FuzzTarget, FuzzTargets, Mutate } from "../target.ts";

const INDEX_STREAMS = 3;
const PAGE_STREAMS = 17;

/**
 * Files of the stores. Checksums are made to fit what was changed, so that what is behind them is tested: damage never
 * gets there.
 */
export async function storedTargets(): Promise<FuzzTargets> {
  const dir = mkdtempSync(join(tmpdir(), "sightline-fuzz-"));
  const targets = [...(await pageTargets()), ...fileTargets(dir)];
  return { targets, close: async () => rmSync(dir, { recursive: true }) };
}

/** Changes what is in the streams, or the page as a whole. */
function mutateStreams(count: number): Mutate {
  return (input, other, random) => {
    if (random.chance(0.2)) return mutateBytes(input, other, random);
    const streams = [...unpackStreams(input, count)];
    const from = random.one(unpackStreams(other, count));
    for (let changes = 1 + random.below(3); changes > 0; changes--) {
      const at = random.below(streams.length);
      streams[at] = mutateBytes(streams[at] as Uint8Array, from, random);
    }
    return packStreams(streams);
  };
}

async function pageTargets(): Promise<readonly FuzzTarget[]> {
  const times = Float64Array.from({ length: 50 }, (_, i) => 1_790_000_000_000 + i * 15_000);
  const page = new DataPageWriter();
  page.addValues(
    0,
    0,
    times,
    times.map((_, i) => i * 0.25),
    undefined,
  );
  page.addValues(
    1,
    0,
    times,
    times.map(() => Math.PI),
    times.map(() => 1_789_999_000_000),
  );
  page.addHistograms(3, 0, times.subarray(0, 3), [HISTOGRAM, HISTOGRAM, HISTOGRAM], undefined);
  const timePage = new TimePageWriter();
  timePage.add(times);
  timePage.add(times.map((time, i) => time + i * i));
  const labels = Array.from(
    { length: 20 },
    (_, i) =>
      [
        ["__name__", "up"],
        ["series", String(i).padStart(2, "0")],
      ] as const,
  );
  const info = { type: "gauge", unit: "", temporality: "unspecified" } as const;
  const place = { offset: 8, length: 10, crc: 1 };
  const index = await packBlockIndex(labels, labels.map(() => info) as never, [
    {
      minTimeMs: 0,
      maxTimeMs: 1,
      timePages: [{ ...place, firstRun: 0 }],
      dataPages: [{ ...place, firstSeries: 0, lastSeries: 19 }],
    },
  ]);
  return [
    {
      name: "pages of values",
      share: 5,
      seeds: [page.finish().bytes],
      mutate: mutateStreams(PAGE_STREAMS),
      run: readDataPage,
    },
    {
      name: "pages of times",
      share: 4,
      seeds: [timePage.finish()],
      mutate: mutateStreams(PAGE_STREAMS),
      run: readTimePage,
    },
    { name: "indexes of blocks", share: 4, seeds: [index], mutate: mutateStreams(INDEX_STREAMS), run: readBlockIndex },
    {
      name: "ends of blocks",
      share: 1,
      seeds: [trailer()],
      mutate: mutateBytes,
      run: (bytes) => unpackTrailer(bytes.subarray(0, 28), 1_000),
    },
  ];
}

const HISTOGRAM: NativeHistogram = {
  schema: 3,
  zeroThreshold: 1e-9,
  zeroCount: 1,
  count: 4,
  sum: 2.5,
  positiveSpans: [{ offset: -2, length: 2 }],
  positiveBuckets: Float64Array.of(1, 2),
  negativeSpans: [],
  negativeBuckets: EMPTY_BUCKETS,
  customValues: EMPTY_BUCKETS,
  counterResetHint: 0,
};

function trailer(): Uint8Array {
  const bytes = Buffer.alloc(28);
  bytes.writeDoubleLE(8, 0);
  bytes.writeDoubleLE(964, 8);
  bytes.write("SLMB0001", 20);
  return bytes;
}

function readDataPage(bytes: Uint8Array): void {
  const page = new DataPage(bytes);
  for (let chunk = 0; chunk < Math.min(page.chunks.length, 100); chunk++) {
    const length = page.chunks.samples(chunk);
    if (page.isHistogram(chunk)) page.readHistograms(chunk);
    else page.readValues(chunk, 0, length, new Float64Array(length), 0);
    page.readStarts(chunk, new Float64Array(length));
  }
}

function readTimePage(bytes: Uint8Array): void {
  const page = new TimePage(bytes);
  for (let run = 0; run < 2; run++) page.run(run);
}

async function readBlockIndex(bytes: Uint8Array): Promise<void> {
  const index = await BlockIndex.unpack(bytes);
  for (let id = 0; id < Math.min(index.seriesCount, 100); id++) {
    for (const [name, value] of index.labelsOf(id))
      if (typeof value !== "string" || typeof name !== "string") throw new Error("no label");
    index.infoOf(id);
  }
  for (const name of index.names()) for (const value of index.valuesOf(name)) index.postings(name, value);
}

function fileTargets(dir: string): readonly FuzzTarget[] {
  const text = (value: unknown) => Buffer.from(JSON.stringify(value));
  const scope = { name: "l", version: "1", schemaUrl: "", attributes: [] };
  const logLines = [
    [{ name: "a", type: "string", count: 1 }],
    {
      labels: [["service_name", "s"]],
      resource: [["service.name", "string", "s"]],
      scope,
      rows: 3,
      minNs: "1",
      maxNs: "2",
    },
  ];
  const spanLines = [
    { columns: [], traceCount: 1, traces: Buffer.alloc(64).toString("base64") },
    { resource: [["service.name", "string", "s"]], schemaUrl: "", scope },
    { service: "s", operations: [{ name: "GET", kind: 2 }] },
  ];
  const block = { file: "a.block", partition: 1, minTimeMs: 0, maxTimeMs: 1, samples: 1, series: 1, bytes: 1 };
  const manifest = { version: 1, flushedPosition: 7, nextFile: 2, blocks: [block] };
  const letter = encodeLetter(
    {
      tenant: "t",
      protocol: "remote-write-1",
      encoding: "snappy",
      receivedAtMs: 1,
      failedAtMs: 2,
      position: 3,
      reason: "refused",
      message: "e",
    },
    Buffer.from("body"),
  );
  const id = letterId(2, 3);
  return [
    {
      name: "indexes of log segments",
      share: 1,
      seeds: [text(logLines), text([{ columns: logLines[0], tail: [], grams: "AAAA" }, logLines[1]])],
      mutate: mutateJson,
      run: (bytes) => readIndex(dir, bytes, logIndexOfLines),
    },
    {
      name: "indexes of span segments",
      share: 1,
      seeds: [text(spanLines)],
      mutate: mutateJson,
      run: (bytes) => readIndex(dir, bytes, spanIndexOfLines),
    },
    {
      name: "manifests",
      share: 0.5,
      seeds: [text(manifest)],
      mutate: mutateJson,
      run: (bytes) => readManifest(dir, bytes),
    },
    {
      name: "dead letters",
      share: 0.5,
      seeds: [letter],
      mutate: mutateBytes,
      run: async (bytes) => {
        writeFileSync(letterPath(dir, id), bytes);
        await readDeadLetter(dir, id);
      },
    },
  ];
}

/** The input is the list of lines as JSON. */
async function readIndex(dir: string, bytes: Uint8Array, parse: (lines: readonly unknown[]) => unknown): Promise<void> {
  const path = join(dir, "segment.index");
  const packed = zstdCompressSync(bytes);
  writeFileSync(path, packed);
  await readIndexFile(path, crc32(packed), ([lines]) => parse(lines as readonly unknown[]));
}

async function readManifest(dir: string, bytes: Uint8Array): Promise<void> {
  const path = join(dir, "manifest");
  const json = Buffer.from(bytes).toString();
  writeFileSync(path, `${crc32(json).toString(16).padStart(8, "0")}\n${json}`);
  await Manifest.open(path, parseTenantManifest, { version: 1, nextFile: 1, blocks: [] });
}
