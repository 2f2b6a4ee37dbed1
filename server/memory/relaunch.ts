import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { getHeapStatistics } from "node:v8";
import { memoryLimit } from "./memory-limit.ts";

export const DEFAULT_MEMORY_LIMIT = "60%";

/** V8 ends the process at its own limit; ours has to be felt first. The rest is for what is not in V8's heap. */
const HEAP_SHARE = 0.75;
const MIB = 1024 * 1024;
const V8_THREADS = 4;

/**
 * What the C library is told. By default each of up to 16 threads keeps memory of its own, and a large block that was
 * freed once makes all later ones come from the heap that is seldom given back to the system.
 */
const ALLOCATOR: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: String(4 * MIB),
  MALLOC_TRIM_THRESHOLD_: String(16 * MIB),
};

/**
 * V8 takes the size of its heap, and the C library its settings, only when a process begins: so this replaces the process
 * by itself with these, keeping its id. Returns when that is not needed (not a server, or the heap has a size already, or
 * this is the second time), not possible, or the limit is wrong, which is reported with the rest of the configuration.
 */
export async function relaunchWithinMemory(args: readonly string[]): Promise<void> {
  if (!startsServer(args) || heapIsSized() || process.execve === undefined) return;
  let bytes: number;
  try {
    bytes = memoryLimit(await limitText(args, process.env)).bytes;
  } catch {
    return;
  }
  const heapMib = Math.floor((HEAP_SHARE * bytes) / MIB);
  const flags = [
    `--max-old-space-size=${heapMib}`,
    `--max-semi-space-size=${youngMib(bytes)}`,
    "--expose-gc",
    ...threadFlags(availableParallelism()),
  ];
  const [, script] = process.argv as [string, string];
  const environment = { ...ALLOCATOR, ...process.env } as Record<string, string>;
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...flags, script, ...args], environment);
}

/**
 * Half of what new objects may fill before V8 looks which of them live. With its own 16 MiB that falls into every other
 * query, for 3 to 13 ms; with more a process of little memory has none left for what lasts.
 */
function youngMib(bytes: number): number {
  return Math.min(Math.max(Math.floor(bytes / (64 * MIB)), 16), 64);
}

/**
 * V8 has four threads that compile and help to collect garbage. Where there are no more cores than these they take the one
 * from the thread that answers queries, which then waits for them longer than they save it.
 */
function threadFlags(cores: number): readonly string[] {
  return cores > V8_THREADS ? [] : [`--v8-pool-size=${Math.max(cores - 1, 1)}`];
}

/** True for a size that was given on the command line of Node or in NODE_OPTIONS. */
function heapIsSized(): boolean {
  const sized = /--max[-_](old[-_]space|heap)[-_]size/;
  return process.execArgv.some((arg) => sized.test(arg)) || sized.test(process.env.NODE_OPTIONS ?? "");
}

/** Cheaper than parsing the command line twice: the words that are no flags and no values of flags come first. */
function startsServer(args: readonly string[]): boolean {
  const [first = "serve"] = args;
  if (args.some((arg) => ["--help", "-h", "--version"].includes(arg))) return false;
  return first === "serve" || first.startsWith("--");
}

/** The setting from where the configuration would take it: flag, variable, file. */
export async function limitText(args: readonly string[], env: Readonly<Record<string, string | undefined>>) {
  return (
    flagOf(args, "--memory-limit") ??
    env.SIGHTLINE_MEMORY_LIMIT ??
    (await fromFile(flagOf(args, "--config"))) ??
    DEFAULT_MEMORY_LIMIT
  );
}

function flagOf(args: readonly string[], name: string): string | undefined {
  const at = args.lastIndexOf(name);
  return at >= 0 ? args[at + 1] : args.findLast((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
}

async function fromFile(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const { parse } = await import("yaml");
  const value = (parse(readFileSync(path, "utf8")) as { memory_limit?: unknown } | null)?.memory_limit;
  return value === undefined ? undefined : String(value);
}

export function heapLimitBytes(): number {
  return getHeapStatistics().heap_size_limit;
}
