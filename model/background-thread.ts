import { setPriority } from "node:os";

/** As `nice -n 10`: beside a thread without it about a tenth of a core's time, all of it when nobody else wants it. */
const NICENESS = 10;

/**
 * Says that nobody waits for what the calling thread does: the system lets others go first from now on. For threads that write
 * files, so that queries do not wait for a core behind them. Elsewhere than on Linux, where that is up to the whole
 * process, and where it is not allowed, nothing changes.
 */
export function runInBackground(): void {
  if (process.platform !== "linux") return;
  try {
    // To Linux a thread is what 0 stands for.
    setPriority(0, NICENESS);
  } catch {
    // All the same otherwise.
  }
}
