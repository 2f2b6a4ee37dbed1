import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { call } from "../harness/http-call.ts";
import { ANY_ENDING, type Bench, type Fault, lacksInterposer } from "./fault.ts";
import { EIO, ENOSPC, type Misbehaviour } from "./interposer.ts";

const STORES = ["metrics", "logs", "traces"] as const;

/** A fault of the disk that the interposer makes up. */
function madeUp(name: string, misbehaviour: (bench: Bench) => Misbehaviour & { readonly path: string }): Fault {
  return {
    name,
    lacks: lacksInterposer,
    strike: async (bench) => {
      const made = misbehaviour(bench);
      bench.interposer?.set(made);
      return JSON.stringify({ ...made, path: made.path.slice(bench.disk.dataDir.length) || "/" });
    },
    lift: async ({ interposer }) => interposer?.clear(),
    endings: ANY_ENDING,
  };
}

/** The process must say that it is alive, whatever its disk does. */
async function expectAlive({ server }: Bench): Promise<void> {
  const { status } = await call(`${server.url}/-/healthy`);
  if (status !== 200) throw new Error(`/-/healthy answers ${status}`);
}

const diskFull: Fault = {
  name: "disk full",
  lacks: ({ disk }) => (disk.isOwn ? undefined : "the right to mount a tmpfs"),
  strike: async (bench) => {
    const spareBytes = bench.random.one([0, 4_096, 65_536, 1_000_000]);
    bench.disk.fill(spareBytes);
    await expectAlive(bench);
    return `${spareBytes} bytes left`;
  },
  lift: async ({ disk }) => disk.free(),
  endings: ANY_ENDING,
};

/** As when a volume is unmounted: nothing is where it was. */
const missingDirectory: Fault = {
  name: "missing directory",
  strike: async (bench) => {
    const dir = join(bench.disk.dataDir, bench.random.one(STORES));
    renameSync(dir, `${dir}.away`);
    await expectAlive(bench);
    return dir.slice(bench.disk.dataDir.length);
  },
  lift: async ({ disk: { dataDir } }) => {
    for (const dir of STORES.map((store) => join(dataDir, store))) {
      if (!existsSync(`${dir}.away`)) continue;
      if (existsSync(dir)) throw new Error(`${dir} was made anew in the place of one that was only away`);
      renameSync(`${dir}.away`, dir);
    }
  },
  endings: ANY_ENDING,
};

export const DISK_FAULTS: readonly Fault[] = [
  diskFull,
  madeUp("writes fail half-way", ({ disk }) => ({ writeErrno: ENOSPC, path: disk.dataDir })),
  madeUp("syncs fail", ({ disk }) => ({ syncErrno: EIO, path: disk.dataDir })),
  madeUp("slow syncs", ({ disk, random }) => ({ syncDelayMs: random.integer(20, 400), path: disk.dataDir })),
  madeUp("dead store", ({ disk, random }) => ({ accessErrno: EIO, path: join(disk.dataDir, random.one(STORES)) })),
  madeUp("dead disk", ({ disk }) => ({ accessErrno: EIO, path: disk.dataDir })),
  missingDirectory,
];
