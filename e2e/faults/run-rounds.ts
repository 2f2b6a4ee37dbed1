import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUSY_FILES } from "../harness/busy-files.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { trackedWriters } from "../harness/tracked-loads.ts";
import type { TrackedWriter } from "../harness/tracked-writer.ts";
import { RandomNumbers } from "../promql-random-numbers.ts";
import { DataDisk } from "./data-disk.ts";
import { Deck } from "./deck.ts";
import { DISK_FAULTS } from "./disk-faults.ts";
import type { Bench, Fault } from "./fault.ts";
import { Interposer } from "./interposer.ts";
import { judge } from "./judge.ts";
import { PROCESS_FAULTS } from "./process-faults.ts";
import { runRound } from "./run-round.ts";
import { usableFaults } from "./usable-faults.ts";

export type FaultRunOptions = {
  readonly rounds: number;
  readonly seed: number;
  /** Only faults whose name has this in it. */
  readonly only?: string;
  readonly print: (line: string) => void;
};

export const FAULTS: readonly Fault[] = [...PROCESS_FAULTS, ...DISK_FAULTS];

/** Everything is in memory and in the log until the process stops. */
const QUIET_FILES = { SIGHTLINE_COLLECTOR__WAL__SEGMENT_BYTES: "4194304" };

/**
 * Loads one server over every way in and makes things go wrong, round after round, and after each reads everything back.
 * Gives a line for everything that is wrong; what it left behind is kept then.
 */
export async function runRounds({ rounds, seed, only, print }: FaultRunOptions): Promise<readonly string[]> {
  const dir = mkdtempSync(join(tmpdir(), "sightline-faults-"));
  const random = new RandomNumbers(seed);
  const disk = new DataDisk(dir);
  const interposer = Interposer.build(dir);
  const env = () => ({ ...(random.chance(0.7) ? BUSY_FILES : QUIET_FILES), ...interposer?.env });
  const began = performance.now();
  const server = await ServerProcess.start({ dataDir: disk.dataDir, env });
  const emptyStartMs = performance.now() - began;
  const bench: Bench = { server, disk, interposer, random, emptyStartMs };
  const writers = trackedWriters();
  const deck = new Deck(usableFaults(FAULTS, bench, { only, print }), random);
  const wrong: string[] = [];
  try {
    for (let round = 1; round <= rounds && wrong.length === 0; round++) {
      const fault = deck.next();
      const roundBegan = performance.now();
      const outcome = await runRound(bench, fault, writers);
      const found = await judge(server, writers, outcome);
      const seconds = ((performance.now() - roundBegan) / 1_000).toFixed(1);
      print(`round ${round}: ${fault.name}${outcome.text}; ${found.text}; ${seconds} s`);
      wrong.push(
        ...[...outcome.violations, ...found.violations].map((line) => `round ${round}, ${fault.name}: ${line}`),
      );
    }
    print(summary(writers));
  } catch (error) {
    wrong.push(`${error instanceof Error ? error.stack : error}`);
  } finally {
    if (wrong.length > 0) print(`the server's log ends with\n${server.stderr.slice(-6_000)}`);
    await server.kill();
    interposer?.close();
    if (wrong.length === 0) {
      disk.dispose();
      rmSync(dir, { recursive: true, force: true });
    } else print(`the data is kept in ${disk.dataDir}`);
  }
  return wrong;
}

function summary(writers: readonly TrackedWriter[]): string {
  const lines = writers.map(({ name, acknowledgedItems, answers }) => {
    const { acknowledged, refused, unknown } = answers;
    return `  ${name}: ${acknowledgedItems} items acknowledged; ${acknowledged} requests taken, ${refused} refused, ${unknown} without an answer`;
  });
  return ["all rounds:", ...lines].join("\n");
}
