import type { Config } from "@sightline/config/schema.ts";
import { App } from "./app.ts";
import { startFailure } from "./start-failure.ts";

/** Starts everything, says so on standard output, and returns after SIGTERM or SIGINT once all is drained and on disk. */
export async function runServer(config: Config): Promise<number> {
  const app = new App(config);
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  });
  try {
    await app.start();
  } catch (error) {
    await app.stop();
    throw startFailure(error);
  }
  process.on("SIGHUP", () => void app.reload().catch((error: Error) => process.stderr.write(`${error.message}\n`)));
  process.stdout.write(`sightline is ready: ${app.url}\n`);
  const signal = await asked;
  // A second signal means "now": the write-ahead log has everything that was acknowledged.
  for (const again of ["SIGTERM", "SIGINT"] as const) process.once(again, () => process.exit(1));
  app.announceStop(signal);
  await app.drain();
  await app.stop();
  return 0;
}
