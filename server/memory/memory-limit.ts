import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { parseBytes } from "@sightline/model/units.ts";

/** With less there is no room beside the process itself: code, threads, DuckDB's and V8's working memory. */
export const MIN_MEMORY_LIMIT_BYTES = 384 * 1024 * 1024;

export type MemoryLimit = {
  readonly bytes: number;
  /** Of the machine, or of the control group if that has less. */
  readonly availableBytes: number;
  readonly availableFrom: "machine" | "control group";
};

/**
 * The setting `memory_limit`: a share of what there is (in a small machine more than that, as a minimum is needed), or
 * bytes. Throws {@link InvalidInputError}.
 */
export function memoryLimit(text: string, available = availableMemory()): MemoryLimit {
  const bytes = parseLimit(text, available.availableBytes);
  if (bytes >= MIN_MEMORY_LIMIT_BYTES) return { ...available, bytes };
  if (text.endsWith("%")) return { ...available, bytes: Math.min(MIN_MEMORY_LIMIT_BYTES, available.availableBytes) };
  throw new InvalidInputError(`memory_limit ${text} is too little: at least 384MiB are needed`);
}

/** `60%` of `availableBytes`, `2GiB`, or bytes. Throws {@link InvalidInputError}. */
export function parseLimit(text: string, availableBytes: number): number {
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text)?.[1];
  if (percent === undefined) return parseBytes(text);
  const share = Number(percent) / 100;
  if (share > 0 && share <= 1) return Math.floor(share * availableBytes);
  throw new InvalidInputError(`memory_limit ${text}: write more than 0% and at most 100%, or a size such as 2GiB`);
}

/** Where the kernel tells of control groups; another one for tests. */
export type CgroupFiles = { readonly membership: string; readonly root: string };
const CGROUP_FILES: CgroupFiles = { membership: "/proc/self/cgroup", root: "/sys/fs/cgroup" };

export function availableMemory(files = CGROUP_FILES, machineBytes = totalmem()): Omit<MemoryLimit, "bytes"> {
  const cgroupBytes = cgroupLimit(files);
  return cgroupBytes < machineBytes
    ? { availableBytes: cgroupBytes, availableFrom: "control group" }
    : { availableBytes: machineBytes, availableFrom: "machine" };
}

/** The lowest limit of the process' control group and of those above it, of either version; Infinity without one. */
function cgroupLimit({ membership, root }: CgroupFiles): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const line of readText(membership).split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers === "") lowest = Math.min(lowest, lowestUpwards(root, path, "memory.max"));
    if (controllers?.split(",").includes("memory")) {
      lowest = Math.min(lowest, lowestUpwards(join(root, "memory"), path, "memory.limit_in_bytes"));
    }
  }
  return lowest;
}

function lowestUpwards(root: string, path: string, file: string): number {
  let lowest = Number.POSITIVE_INFINITY;
  // In a container the path is that of the host, and its own group is the root.
  for (let at = path; ; at = dirname(at)) {
    const text = readText(join(root, at, file)).trim();
    // "max": no limit. Version 1 says so with a number larger than any memory.
    if (/^\d+$/.test(text)) lowest = Math.min(lowest, Number(text));
    if (at === "/") return lowest;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
