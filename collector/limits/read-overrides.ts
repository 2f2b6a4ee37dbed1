import { Worker } from "node:worker_threads";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Overrides } from "./parse-overrides.ts";
import type { TenantConfig } from "./tenant-config.ts";

export type OverridesRequest = { readonly text: string; readonly defaults: TenantConfig; readonly path: string };
/** `tenants` comes as often as needed, then `done`; or what is wrong. */
export type OverridesAnswer =
  | { readonly tenants: readonly (readonly [string, TenantConfig])[] }
  | { readonly done: true }
  | { readonly mistakes: string };

const TIMEOUT_MS = 60_000;
const MAX_HEAP_MIB = 1_024;

/**
 * What `parseOverrides` gives and throws, without holding the event loop, whatever is in the text: YAML of some kilobytes
 * can take a tenth of a second. On a thread of its own each time: files change rarely, and what one does to its thread is
 * over with it.
 */
export async function readOverrides(text: string, defaults: TenantConfig, path: string): Promise<Overrides> {
  const worker = new Worker(new URL("./overrides-thread.ts", import.meta.url), {
    workerData: { text, defaults, path } satisfies OverridesRequest,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
  });
  const timer = setTimeout(() => void worker.terminate(), TIMEOUT_MS);
  try {
    return new Map(await answersOf(worker, path));
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function answersOf(worker: Worker, path: string): Promise<(readonly [string, TenantConfig])[]> {
  return new Promise((resolve, reject) => {
    const tenants: (readonly [string, TenantConfig])[] = [];
    worker.on("message", (answer: OverridesAnswer) => {
      if ("mistakes" in answer) reject(new InvalidInputError(answer.mistakes));
      else if ("done" in answer) resolve(tenants);
      else tenants.push(...answer.tenants);
    });
    worker.on("error", (cause: NodeJS.ErrnoException) => {
      const isTooMuch = cause.code === "ERR_WORKER_OUT_OF_MEMORY";
      const text = `${path}: reading it takes more than ${MAX_HEAP_MIB} MiB: make it smaller`;
      reject(isTooMuch ? new InvalidInputError(text, { cause }) : cause);
    });
    worker.on("exit", () =>
      reject(new InvalidInputError(`${path}: reading it takes more than ${TIMEOUT_MS} ms: make it smaller`)),
    );
  });
}
