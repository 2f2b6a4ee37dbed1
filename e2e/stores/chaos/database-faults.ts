import { eventually } from "../../harness/eventually.ts";
import type { ChaosBench, DatabaseFault } from "./database-fault.ts";

type Database = {
  readonly isRunning: boolean;
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
};
type Which = { readonly name: string; readonly of: (bench: ChaosBench) => Database };

const DATABASES: readonly Which[] = [
  { name: "PostgreSQL", of: ({ cluster }) => cluster.postgres },
  { name: "OpenSearch", of: ({ cluster }) => cluster.openSearch },
  { name: "Redis", of: ({ cluster }) => cluster.redis },
];
const START_TIMEOUT_MS = 120_000;

/** What is left of a killed server may hold its place for a moment. */
async function startUntilItRuns(database: Database): Promise<void> {
  if (!database.isRunning) await eventually(() => database.start(), START_TIMEOUT_MS);
}

function killed({ name, of }: Which): DatabaseFault {
  return {
    name: `${name} killed`,
    strike: async (bench) => {
      await of(bench).kill();
      return "kill -9";
    },
    lasts: [500, 8_000],
    lift: (bench) => startUntilItRuns(of(bench)),
  };
}

function paused({ name, of }: Which): DatabaseFault {
  return {
    name: `${name} paused`,
    strike: async (bench) => {
      of(bench).signal("SIGSTOP");
      return "SIGSTOP";
    },
    lasts: [2_000, 15_000],
    lift: async (bench) => of(bench).signal("SIGCONT"),
  };
}

function restarted({ name, of }: Which): DatabaseFault {
  return {
    name: `${name} restarted`,
    strike: async (bench) => {
      await of(bench).stop();
      return "shut down";
    },
    lasts: [0, 1_000],
    lift: (bench) => startUntilItRuns(of(bench)),
  };
}

const A_DISK = "the right to mount a tmpfs";

const postgresFilled: DatabaseFault = {
  name: "PostgreSQL filled",
  lacks: ({ disks }) => (disks.postgres.isOwn ? undefined : A_DISK),
  strike: async ({ disks, random }) => {
    const spareBytes = random.one([0, 65_536, 1_000_000]);
    disks.postgres.fill(spareBytes);
    return `${spareBytes} bytes left`;
  },
  lasts: [4_000, 15_000],
  // It ends itself when it can't write its log.
  lift: async ({ disks, cluster }) => {
    disks.postgres.free();
    await startUntilItRuns(cluster.postgres);
  },
};

/** With room to spare OpenSearch sees it coming and blocks all indexes (the flood stage); without, writes fail half-way. */
const openSearchFilled: DatabaseFault = {
  name: "OpenSearch filled",
  lacks: ({ disks }) => (disks.openSearch.isOwn ? undefined : A_DISK),
  strike: async ({ disks, random }) => {
    const spareBytes = random.one([0, 1_000_000, 16_000_000]);
    disks.openSearch.fill(spareBytes);
    return `${spareBytes} bytes left`;
  },
  lasts: [12_000, 20_000],
  lift: async ({ disks, cluster }) => {
    disks.openSearch.free();
    await startUntilItRuns(cluster.openSearch);
  },
};

const redisFilled: DatabaseFault = {
  name: "Redis filled",
  strike: async ({ cluster }) => {
    cluster.redis.cli("config", "set", "maxmemory-policy", "noeviction");
    return `maxmemory 1: ${cluster.redis.cli("config", "set", "maxmemory", "1").trim()}`;
  },
  lasts: [1_000, 5_000],
  lift: async ({ cluster }) => {
    cluster.redis.cli("config", "set", "maxmemory", "0");
  },
};

export const DATABASE_FAULTS: readonly DatabaseFault[] = [
  ...DATABASES.flatMap((which) => [killed(which), paused(which), restarted(which)]),
  postgresFilled,
  openSearchFilled,
  redisFilled,
];
