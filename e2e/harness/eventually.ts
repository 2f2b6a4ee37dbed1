import { patientMs } from "./patience.ts";

const PAUSE_MS = 50;

/** Runs `check` until it does not throw, for at most `timeoutMs`, on a busy machine longer; then throws what it threw last. */
export async function eventually<T>(check: () => Promise<T>, timeoutMs = 10_000): Promise<T> {
  const deadline = performance.now() + patientMs(timeoutMs);
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
