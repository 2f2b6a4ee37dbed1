import { readFileSync } from "node:fs";

const CLOCK_TICKS = 100;

/** User and system time of a process so far, in seconds. Linux only, as all of this. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

/** Largest resident size of a process so far, in MiB. */
export function peakMiBOf(pid: number): number {
  return statusMiB(pid, "VmHWM");
}

/** Resident size of a process, in MiB. */
export function residentMiBOf(pid: number): number {
  return statusMiB(pid, "VmRSS");
}

function statusMiB(pid: number, name: string): number {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(line?.[1] ?? 0) / 1_024);
}
