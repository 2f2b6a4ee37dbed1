import { SightlineError, UnavailableError } from "@sightline/model/errors.ts";

const FIXES: Readonly<Record<string, string>> = {
  ENOSPC: "free space on the disk of data_dir",
  EDQUOT: "free space on the disk of data_dir, or raise the quota",
  EACCES: "data_dir and all that is in it must be readable and writable for the user that runs this",
  EPERM: "data_dir and all that is in it must be readable and writable for the user that runs this",
  EROFS: "the disk of data_dir is mounted read-only",
  EIO: "the disk of data_dir fails; nothing was changed",
  EMFILE: "raise the limit of open files (ulimit -n)",
};

/** What the system refused while the process was starting, in words for whoever has to put it right; else `error` itself. */
export function startFailure(error: unknown): unknown {
  if (error instanceof SightlineError || !(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || !("syscall" in error)) return error;
  const fix = FIXES[code] ?? "see what data_dir names";
  return new UnavailableError(`could not start: ${error.message}: ${fix}`, { cause: error, retryAfterMs: 0 });
}
