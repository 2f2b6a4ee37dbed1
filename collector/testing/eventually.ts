import { setTimeout as sleep } from "node:timers/promises";

const TIMEOUT_MS = 30_000;

/** Tries until it does not throw any more; patient, because test machines are slow at times. */
export async function eventually(check: () => unknown): Promise<void> {
  for (const start = performance.now(); ; await sleep(5)) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() - start > TIMEOUT_MS) throw error;
    }
  }
}
