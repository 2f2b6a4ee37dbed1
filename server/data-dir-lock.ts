import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { InvalidInputError } from "@sightline/model/errors.ts";

/**
 * Keeps a second process away from a data directory. The lock is a file with the owner's process id and the moment it
 * started (from /proc where there is one), so that a lock left behind by a crash, or a process id used again, is seen
 * through. Throws {@link InvalidInputError} while another process holds it. Returns the function that lets go.
 */
export function lockDataDir(dir: string): () => void {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, "lock");
  const own = `${process.pid} ${startedAt(process.pid)}`;
  for (let attempt = 0; ; attempt++) {
    try {
      const file = openSync(path, "wx");
      writeSync(file, own);
      closeSync(file);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt > 2) throw error;
    }
    const holder = readHolder(path);
    if (holder !== undefined && holder !== own && isAlive(holder)) {
      throw new InvalidInputError(
        `data_dir ${dir} is in use by process ${holder.split(" ")[0]}; stop it, or choose another directory with --data-dir`,
      );
    }
    rmSync(path, { force: true });
  }
}

function readHolder(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function isAlive(holder: string): boolean {
  const [pid, started] = holder.split(" ");
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return started === startedAt(Number(pid));
}

/** Field 22 of /proc/PID/stat; "" where there is no /proc. */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
