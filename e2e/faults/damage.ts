import { existsSync, readdirSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RandomNumbers } from "../promql-random-numbers.ts";

type Signal = "metrics" | "logs" | "traces";

/** What was done to one file, and what may be missing because of it. */
export type Damage = {
  readonly text: string;
  /** Items of this signal that are in the file may be gone, as many as the server says; those of no other. */
  readonly loses?: Signal;
  /** At most one request of any signal may be gone. */
  readonly losesOneRequest?: boolean;
};

type Victim = {
  readonly kind: string;
  readonly dir: string;
  readonly files: RegExp;
  readonly loses?: Signal;
};

/** Files that hold rows: whatever happens to one, the others are served. */
const DATA_FILES: readonly Victim[] = [
  { kind: "block", dir: "metrics/default", files: /\.block$/, loses: "metrics" },
  { kind: "rows of logs", dir: "logs/segments", files: /\.parquet$/, loses: "logs" },
  { kind: "index of logs", dir: "logs/segments", files: /\.index$/, loses: "logs" },
  { kind: "rows of spans", dir: "traces/segments", files: /\.parquet$/, loses: "traces" },
  { kind: "index of spans", dir: "traces/segments", files: /\.index$/, loses: "traces" },
];
/** Files without which nothing may be missing: there are copies, or they can be done without. */
const OTHER_FILES: readonly Victim[] = [
  { kind: "side data", dir: "metrics/default", files: /\.side$/ },
  { kind: "manifest of metrics", dir: "metrics/default", files: /^manifest(\.copy)?$/ },
  { kind: "manifest of logs", dir: "logs", files: /^manifest\.json(\.copy)?$/ },
  { kind: "manifest of spans", dir: "traces", files: /^manifest\.json(\.copy)?$/ },
  { kind: "checkpoint", dir: "wal", files: /^checkpoint\.json$/ },
];
const WAL_HEADER_BYTES = 36;

/** One byte of one file has another value. */
export function corruptByte(dataDir: string, random: RandomNumbers): Damage | undefined {
  const choices = [...DATA_FILES, ...OTHER_FILES].flatMap((victim) => found(dataDir, victim, random));
  const wal = newestWal(dataDir);
  if (wal && random.chance(0.25)) {
    const end = Math.min(wal.bytes.length, wal.lastRecord + WAL_HEADER_BYTES);
    return { text: flip(wal.path, random, end), losesOneRequest: true };
  }
  if (choices.length === 0) return undefined;
  const { kind, path, loses } = random.one(choices);
  return { text: `${kind}: ${flip(path, random)}`, ...(loses && { loses }) };
}

/** A file ends too early, has a hole of zeros, or is gone. */
export function tearFile(dataDir: string, random: RandomNumbers): Damage | undefined {
  const wal = newestWal(dataDir);
  if (wal && random.chance(0.25)) {
    const length = wal.lastRecord + random.integer(1, WAL_HEADER_BYTES);
    truncateSync(wal.path, length);
    return { text: `${wal.path} cut to ${length} bytes`, losesOneRequest: true };
  }
  const choices = DATA_FILES.flatMap((victim) => found(dataDir, victim, random));
  if (choices.length === 0) return undefined;
  const { kind, path, loses } = random.one(choices);
  const { size } = statSync(path);
  const how = random.one(["cut", "zeros", "removed"] as const);
  if (how === "cut") truncateSync(path, random.integer(0, size - 1));
  else if (how === "removed") unlinkSync(path);
  else {
    const bytes = readFileSync(path);
    const from = random.integer(0, size - 1);
    writeFileSync(path, bytes.fill(0, from, Math.min(size, from + 4_096)));
  }
  return { text: `${kind}: ${path}, ${size} bytes: ${how}`, ...(loses && { loses }) };
}

function flip(path: string, random: RandomNumbers, end?: number): string {
  const bytes = readFileSync(path);
  const at = random.integer(0, (end ?? bytes.length) - 1);
  bytes[at] = (bytes[at] as number) ^ random.integer(1, 255);
  writeFileSync(path, bytes);
  return `byte ${at} of ${path} (${bytes.length} bytes)`;
}

/** A random one of the files of a kind, none when there is none. */
function found(dataDir: string, { kind, dir, files, loses }: Victim, random: RandomNumbers) {
  const parent = join(dataDir, dir);
  const names = existsSync(parent) ? readdirSync(parent).filter((name) => files.test(name)) : [];
  const paths = names.map((name) => join(parent, name)).filter((path) => statSync(path).size > 0);
  return paths.length === 0 ? [] : [{ kind, path: random.one(paths.sort()), loses }];
}

/** The segment that was written to last. Its name tells the marker with which each of its records begins. */
function newestWal(dataDir: string): { path: string; bytes: Buffer; lastRecord: number } | undefined {
  const dir = join(dataDir, "wal");
  const name = readdirSync(dir)
    .filter((file) => file.endsWith(".wal"))
    .sort()
    .at(-1);
  const marker = name && /-([0-9a-f]+)\.wal$/.exec(name)?.[1];
  if (!name || !marker) return undefined;
  const path = join(dir, name);
  const bytes = readFileSync(path);
  const lastRecord = bytes.lastIndexOf(Buffer.from(marker, "hex"));
  return lastRecord < 0 ? undefined : { path, bytes, lastRecord };
}
