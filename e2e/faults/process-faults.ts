import { runCommandLine } from "../harness/server-process.ts";
import { corruptByte, tearFile } from "./damage.ts";
import { ANY_ENDING, type Fault, lacksInterposer } from "./fault.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const secondProcess: Fault = {
  name: "second process on the data directory",
  strike: async ({ server, disk }) => {
    const free = ["--listen", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0", "--otlp-http", "127.0.0.1:0"];
    const { code, stderr } = await runCommandLine(["--data-dir", disk.dataDir, ...free]);
    if (code === 0 || !stderr.includes(`is in use by process ${server.pid}`)) {
      throw new Error(`a second process exited with ${code} and said: ${stderr.slice(-500)}`);
    }
    return `refused with ${code}`;
  },
  endings: ANY_ENDING,
};

/** Not so far back that what is sent would be in the future, not so far ahead that it would be too old. */
const clockJump: Fault = {
  name: "clock jump",
  lacks: lacksInterposer,
  strike: async ({ interposer, random }) => {
    const clockOffsetMs = random.one([-45 * MINUTE_MS, -5 * MINUTE_MS, 30 * MINUTE_MS, 5 * 60 * MINUTE_MS, 3 * DAY_MS]);
    interposer?.set({ clockOffsetMs });
    return `${clockOffsetMs / MINUTE_MS} minutes`;
  },
  lift: async ({ interposer }) => interposer?.clear(),
  endings: ANY_ENDING,
};

export const PROCESS_FAULTS: readonly Fault[] = [
  { name: "kill -9", endings: ["kill"] },
  { name: "SIGTERM under load", endings: ["terminate"] },
  secondProcess,
  clockJump,
  {
    name: "corrupted byte",
    damage: ({ disk, random }) => corruptByte(disk.dataDir, random),
    endings: ["kill", "terminate"],
  },
  { name: "torn file", damage: ({ disk, random }) => tearFile(disk.dataDir, random), endings: ["kill", "terminate"] },
];
