import { access } from "node:fs/promises";
import { CorruptionError, UnavailableError } from "@sightline/model/errors.ts";

const RETRY_AFTER_MS = 5_000;

/**
 * Returns when a failed read of a data file means that the file is damaged or gone: it may be put aside then. Otherwise
 * throws: `UnavailableError` when the disk refuses, or when all of it is away (not even the manifest is there), as both
 * may pass; the error itself when it says nothing of the file.
 */
export async function assertDamage(error: unknown, path: string, manifestPath: string): Promise<void> {
  if (error instanceof CorruptionError) return;
  if (!(error instanceof Error) || !("code" in error && "errno" in error)) throw error;
  if (error.code === "ENOENT" && (await isThere(manifestPath))) return;
  throw new UnavailableError(`read ${path}`, { cause: error, retryAfterMs: RETRY_AFTER_MS });
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
