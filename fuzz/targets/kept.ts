import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, zstdCompressSync } from "node:zlib";
import { decodeSlots, encodeSlots } from "@sightline/collector/limits/slots-codec.ts";
import { decodeDecisions, encodeDecisions } from "@sightline/collector/processors/decisions.ts";
import { decodeTailDecision, encodeTailDecision } from "@sightline/collector/tail-sampling/tail-decision.ts";
import { readCheckpoint } from "@sightline/collector/wal/checkpoint.ts";
import { CorruptionError } from "@sightline/model/errors.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { readBackup } from "@sightline/storage-backup/backup.ts";
import { DirectoryTarget } from "@sightline/storage-backup/directory-target.ts";
import { SqliteCatalog } from "@sightline/storage-catalog/sqlite-catalog.ts";
import { SideData } from "@sightline/storage-embedded/metrics/side-data.ts";
import { decodePatterns, encodePatterns } from "@sightline/storage-embedded/patterns/pattern-snapshot.ts";
import { TenantPatterns } from "@sightline/storage-embedded/patterns/tenant-patterns.ts";
import { SegmentDirectory } from "@sightline/storage-embedded/segments/segment-directory.ts";
import { mutateBytes } from "../mutate/bytes.ts";
import { mutateJson } from "../mutate/json.ts";
import type { FuzzTarget, FuzzTargets } from "../target.ts";

const HASH = "0123456789abcdef".repeat(4);
const BACKUP_ID = "20261121T101112.131Z";
const FINGERPRINT = 7;
const SLOTS_HEAD_BYTES = 8;
/** They write files and wait for the disk. */
const FILES_MS = 5_000;

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** Smaller files of the collector, the stores, the catalog and backups. Checksums are made to fit, except the catalog's. */
export async function keptTargets(): Promise<FuzzTargets> {
  const dir = mkdtempSync(join(tmpdir(), "sightline-fuzz-"));
  const targets = [...collectorTargets(dir), ...storeTargets(dir), backupTarget(dir), await catalogTarget(dir)];
  return { targets, close: async () => rmSync(dir, { recursive: true }) };
}

function collectorTargets(dir: string): readonly FuzzTarget[] {
  const slots = encodeSlots(
    new Map([
      ["up", [{ hash: 7, seenMs: 1_790_000_000_000 }]],
      ["größe", []],
    ]),
  );
  const decisions = encodeDecisions(
    FINGERPRINT,
    new Map([
      [0, Buffer.from("abc")],
      [3, Buffer.alloc(0)],
    ]),
  );
  const decision = {
    kept: [{ policy: "errors", ratio: 0.5, traces: ["0af7651916cd43dd8448eb211c80319c"] }],
    dropped: [],
  };
  return [
    {
      name: "active series",
      share: 1,
      seeds: [slots.subarray(SLOTS_HEAD_BYTES)],
      mutate: mutateBytes,
      run: (body) => {
        const head = Buffer.from(slots.subarray(0, SLOTS_HEAD_BYTES));
        head.writeUInt32LE(crc32(body), 4);
        decodeSlots(Buffer.concat([head, body]));
      },
    },
    {
      name: "decisions of processors",
      share: 1,
      seeds: [decisions as Uint8Array],
      mutate: mutateBytes,
      run: (bytes) => decodeDecisions(FINGERPRINT, bytes),
    },
    {
      name: "decisions of tail sampling",
      share: 1,
      seeds: [encodeTailDecision(decision)],
      mutate: mutateJson,
      run: (bytes) => asDamage(() => decodeTailDecision(bytes)),
    },
    {
      name: "checkpoints",
      share: 0.5,
      seeds: [json({ replayFrom: 7, crc: crc32("7") })],
      mutate: mutateJson,
      run: async (bytes) => {
        writeFileSync(join(dir, "checkpoint.json"), bytes);
        const position = await readCheckpoint(dir);
        if (position !== undefined && !Number.isSafeInteger(position)) throw new Error(`position ${position}`);
      },
    },
  ];
}

function storeTargets(dir: string): readonly FuzzTarget[] {
  const labels = [["__name__", "up"]];
  const lines = [
    { metadata: { metric: "up", type: "gauge", unit: "", help: "h" } },
    { series: { labels, exemplars: [[1_790_000_000_000, "0.5", [["trace_id", "ab"]]]] } },
  ];
  const root = join(dir, "logs");
  const segment = {
    id: 1,
    tenant: "shop",
    day: 20_000,
    minNs: "1",
    maxNs: "2",
    rows: 3,
    bytes: 4,
    dataCrc: 5,
    indexCrc: 6,
  };
  const deletion = {
    id: 1,
    tenant: "shop",
    description: "{}",
    startNs: "1",
    endNs: "2",
    rows: 2,
    createdAtMs: 1,
    removeAtMs: 2,
    removedRows: 0,
    hidden: [{ segment: 1, rows: 2, bytes: 3, crc: 4 }],
  };
  const manifest = { version: 1, flushedPosition: 7, segments: [segment], deletions: [deletion] };
  return [
    {
      name: "exemplars and metadata",
      share: 0.5,
      seeds: [json(lines)],
      mutate: mutateJson,
      run: (bytes) => readSideData(join(dir, "side"), bytes),
    },
    {
      name: "patterns",
      share: 1,
      seeds: patternLines(),
      mutate: mutateJson,
      // Whatever it throws, the patterns begin anew.
      run: (bytes) => asDamage(() => decodePatterns(Buffer.from(bytes).toString(), 1, newPatterns())),
    },
    {
      name: "manifests of segments",
      share: 0.3,
      maxInputMs: FILES_MS,
      seeds: [json(manifest)],
      mutate: mutateJson,
      run: async (bytes) => {
        const text = Buffer.from(bytes).toString();
        mkdirSync(root, { recursive: true });
        writeFileSync(join(root, "manifest.json"), `${crc32(text).toString(16).padStart(8, "0")}\n${text}`);
        rmSync(join(root, "manifest.json.copy"), { force: true });
        const directory = await SegmentDirectory.open(root, SILENT_LOGGER);
        for (const tenant of directory.tenants) directory.segmentsOf(tenant);
      },
    },
  ];
}

const newPatterns = () => new TenantPatterns(0, { maxStreams: 10, tally: { templates: 0 } });

function patternLines(): readonly Uint8Array[] {
  const patterns = newPatterns();
  const service = patterns.newService();
  for (const text of ["took 12ms for user u-17", "order was placed"]) {
    const line = Buffer.from(text);
    const template = service.miner("info").find(line, 0, line.length, () => true);
    template?.add(0, 7, 1);
  }
  patterns.services.set("shop", service);
  return [...encodePatterns(patterns)].slice(1).map((line) => Buffer.from(line));
}

/** Its lines are JSON, a list of which is what was mutated: as lines when it still is one. */
function linesOf(text: string): string {
  try {
    const lines: unknown = JSON.parse(text);
    return Array.isArray(lines) ? lines.map((line) => JSON.stringify(line)).join("\n") : text;
  } catch {
    return text;
  }
}

async function readSideData(path: string, bytes: Uint8Array): Promise<void> {
  const packed = zstdCompressSync(linesOf(Buffer.from(bytes).toString()));
  writeFileSync(path, packed);
  const data = new SideData({ maxExemplars: 100, maxMetadata: 100 });
  await data.load(path, crc32(packed));
  data.metadata();
  data.translated();
}

function backupTarget(dir: string): FuzzTarget {
  const target = new DirectoryTarget(dir);
  const files = [{ path: "logs/segments/1.parquet", bytes: 10, mtimeMs: 1, sha256: HASH }];
  mkdirSync(join(dir, "backups"));
  return {
    name: "backups",
    share: 0.5,
    seeds: [json({ version: 1, id: BACKUP_ID, release: "0.1.0", files })],
    mutate: mutateJson,
    run: async (bytes) => {
      writeFileSync(join(dir, "backups", `${BACKUP_ID}.json`), bytes);
      for (const { path } of (await readBackup(target, BACKUP_ID)).files) {
        if (path.startsWith("/") || join(dir, path) === dir || !join(dir, path).startsWith(dir))
          throw new Error(`a file outside of the directory: ${path}`);
      }
    },
  };
}

/** SQLite's own format: what matters is that the process lives, and that the error is one of ours. */
async function catalogTarget(dir: string): Promise<FuzzTarget> {
  const path = join(dir, "good.db");
  const good = new SqliteCatalog(path, { busyTimeoutMs: 1_000 });
  await good.start();
  const hash = Buffer.alloc(32, 7);
  const key = {
    id: "0123456789ab",
    name: "n",
    tenant: DEFAULT_TENANT,
    scopes: ["read"] as const,
    hash,
    createdAtMs: 1,
  };
  await good.addKey({ ...key, expiresAtMs: undefined, revokedAtMs: undefined, lastUsedAtMs: undefined });
  await good.addEntry({ atMs: 1, tenant: DEFAULT_TENANT, keyId: "k", client: "c", action: "a", details: { a: 1 } });
  await good.copyTo(join(dir, "seed.db"));
  await good.stop();
  const damaged = join(dir, "damaged.db");
  return {
    name: "catalogs",
    share: 0.05,
    maxInputMs: FILES_MS,
    seeds: [readFileSync(join(dir, "seed.db"))],
    mutate: mutateBytes,
    run: async (bytes) => {
      for (const suffix of ["-wal", "-shm"]) rmSync(`${damaged}${suffix}`, { force: true });
      writeFileSync(damaged, bytes);
      const catalog = new SqliteCatalog(damaged, { busyTimeoutMs: 1_000 });
      try {
        await catalog.start();
        await catalog.keys();
        await catalog.entries(DEFAULT_TENANT, 10);
      } finally {
        await catalog.stop();
      }
    },
  };
}

/** It is read behind a checksum: whatever it throws stops the replay with the place of the record. */
function asDamage(read: () => unknown): void {
  try {
    read();
  } catch (cause) {
    throw new CorruptionError("damaged", { cause });
  }
}
