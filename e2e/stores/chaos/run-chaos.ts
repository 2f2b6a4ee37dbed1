import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataDisk } from "../../faults/data-disk.ts";
import { usableFaults } from "../../faults/usable-faults.ts";
import { RandomNumbers } from "../../promql-random-numbers.ts";
import { OpenSearchService } from "../../services/opensearch.ts";
import { PostgresService } from "../../services/postgres.ts";
import { RedisService } from "../../services/redis.ts";
import { Cluster } from "../cluster.ts";
import { ChaosRun } from "./chaos-run.ts";
import type { ChaosBench } from "./database-fault.ts";
import { DATABASE_FAULTS } from "./database-faults.ts";

export type ChaosOptions = {
  /** How long the load is on, over all rounds. */
  readonly loadMs: number;
  readonly seed: number;
  /** Only faults whose name has this in it. */
  readonly only?: string | undefined;
  readonly print: (line: string) => void;
};

const DISK_MIB = 768;

/** Little room, so that collectors push back within seconds; many small writes. */
const SERVER_SETTINGS = {
  SIGHTLINE_COLLECTOR__WAL__SEGMENT_BYTES: "65536",
  SIGHTLINE_COLLECTOR__WAL__MAX_BYTES: "131072",
  SIGHTLINE_STORAGE__OPENSEARCH__FLUSH__MAX_BACKLOG: "2000",
  SIGHTLINE_STORAGE__OPENSEARCH__REQUEST_TIMEOUT: "15s",
};
const POSTGRES_SETTINGS = ["max_wal_size=64MB", "shared_buffers=64MB"];
/** It looks at its disk as often as it can. */
const OPENSEARCH_SETTINGS = {
  "cluster.routing.allocation.disk.threshold_enabled": "true",
  "cluster.info.update.interval": "10s",
};

/**
 * Two collectors and two queriers over databases that fail one after the other, under load; after some faults everything that
 * was acknowledged is read back. Gives a line for everything that is wrong. The same seed makes the same choices.
 */
export async function runChaos({ loadMs, seed, only, print }: ChaosOptions): Promise<readonly string[]> {
  const dir = mkdtempSync(join(tmpdir(), "sightline-chaos-"));
  // PostgreSQL may run as somebody else.
  chmodSync(dir, 0o755);
  const disks = { postgres: diskIn(dir, "postgres"), openSearch: diskIn(dir, "opensearch") };
  try {
    const cluster = await startCluster(disks);
    try {
      const bench: ChaosBench = { cluster, disks, random: new RandomNumbers(seed) };
      return await new ChaosRun(bench, usableFaults(DATABASE_FAULTS, bench, { only, print }), print).run(loadMs);
    } finally {
      await cluster.dispose();
    }
  } finally {
    for (const disk of Object.values(disks)) disk.dispose();
    rmSync(dir, { recursive: true, force: true });
  }
}

function diskIn(dir: string, name: string): DataDisk {
  const parent = join(dir, name);
  mkdirSync(parent);
  return new DataDisk(parent, DISK_MIB);
}

function startCluster(disks: ChaosBench["disks"]): Promise<Cluster> {
  const databases = Promise.all([
    PostgresService.start(POSTGRES_SETTINGS, disks.postgres.root),
    OpenSearchService.start(OPENSEARCH_SETTINGS, disks.openSearch.root),
    RedisService.start(),
  ]);
  return Cluster.start(SERVER_SETTINGS, databases);
}
