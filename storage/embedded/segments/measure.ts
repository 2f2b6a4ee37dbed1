import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** For benchmarks: what the whole process has used, in seconds. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export async function directoryBytes(dir: string): Promise<number> {
  const names = await readdir(dir);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(dir, name))).size));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * The longest time since the last call in which the event loop was held, in CPU time of its thread, so that other
 * programs on the machine don't show.
 */
export function stallMeter(): () => number {
  const threadMs = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1e3;
  };
  let last = threadMs();
  let worstMs = 0;
  setInterval(() => {
    const now = threadMs();
    worstMs = Math.max(worstMs, now - last);
    last = now;
  }, 1).unref();
  return () => {
    const worst = worstMs;
    worstMs = 0;
    return worst;
  };
}

/** Runs it several times and prints first and median time, CPU time and what `run` counted. */
export async function timeQuery(label: string, run: () => Promise<number>, runs = 7): Promise<void> {
  const timesMs: number[] = [];
  const cpu = cpuSeconds();
  let count = 0;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    count = await run();
    timesMs.push(performance.now() - start);
  }
  const cpuMs = ((cpuSeconds() - cpu) * 1_000) / runs;
  const first = timesMs[0] as number;
  const median = timesMs.toSorted((a, b) => a - b)[runs >> 1] as number;
  const columns = [
    `first ${first.toFixed(1)}`,
    `p50 ${median.toFixed(1)}`,
    `CPU ${cpuMs.toFixed(0)} ms`,
    `${count} rows`,
  ];
  console.log(label.padEnd(34), columns.map((text) => text.padStart(13)).join(""));
}
