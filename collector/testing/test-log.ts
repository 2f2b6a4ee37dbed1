import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import type { WireRequest } from "@sightline/proto/wire-request.ts";
import { Registry } from "prom-client";
import { collectorConfig, type WalConfig } from "../config.ts";
import type { WalEntry } from "../wal/record.ts";
import type { WalFiles } from "../wal/wal-files.ts";
import { WriteAheadLog } from "../wal/write-ahead-log.ts";

export const SEGMENT_BYTES = 64 * 1024;

/** A directory with a log that a test opens again and again. */
export class TestLog {
  readonly root = mkdtempSync(join(tmpdir(), "collector-wal-"));
  readonly dir = join(this.root, "wal");
  #registry = new Registry();
  readonly #opened: WriteAheadLog[] = [];

  async open(options: { config?: Partial<WalConfig>; files?: WalFiles; dir?: string } = {}): Promise<WriteAheadLog> {
    this.#registry = new Registry();
    const wal = { segment_bytes: SEGMENT_BYTES, preallocate: false, ...options.config };
    const log = new WriteAheadLog({
      dir: options.dir ?? this.dir,
      config: collectorConfig.parse({ wal }).wal,
      logger: SILENT_LOGGER,
      registry: this.#registry,
      ...(options.files ? { files: options.files } : {}),
    });
    await log.start();
    this.#opened.push(log);
    return log;
  }

  async dispose(): Promise<void> {
    for (const log of this.#opened) await log.stop();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** File names, the oldest first. */
  segments(): string[] {
    return readdirSync(this.dir)
      .filter((file) => file.endsWith(".wal"))
      .sort();
  }

  /** Damaged places that the log opened last has counted. */
  async damage(kind: "torn" | "corrupt"): Promise<number> {
    const metric = await this.#registry.getSingleMetric("sightline_wal_damaged_total")?.get();
    return metric?.values.find(({ labels }) => labels.kind === kind)?.value ?? 0;
  }
}

export function request(text: string): WireRequest {
  return {
    tenant: tenantId("shop"),
    protocol: "remote-write-2",
    encoding: "snappy",
    receivedAtMs: 1_700_000_000_000,
    body: Buffer.from(text),
  };
}

export async function entries(log: WriteAheadLog, from = 0): Promise<WalEntry[]> {
  const all: WalEntry[] = [];
  for await (const entry of log.replay(from)) all.push(entry);
  return all;
}

/** What stands before the colon in the bodies of a log. */
export async function texts(log: WriteAheadLog, from = 0): Promise<string[]> {
  return (await entries(log, from)).map(({ request }) => Buffer.from(request.body).toString().split(":")[0] as string);
}

export const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
