import type { Config } from "@sightline/config/schema.ts";
import { App } from "./app.ts";
import { startFailure } from "./start-failure.ts";

/** Starts everything, says so on standard output, and returns after SIGTERM or SIGINT once all is drained and on disk. */
export async function runServer(config: Config): Promise<number> {
  const [asked, started] = untilAsked();
  const app = new App(config);
  try {
    await app.start();
  } catch (error) {
    await app.stop();
    throw startFailure(error);
  }
  started();
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

/**
 * Settles with the signal that asks the process to stop. Until it has started, which may take long where the log has to be
 * replayed, there is nothing to be finished: it ends at once.
 */
function untilAsked(): [asked: Promise<NodeJS.Signals>, started: () => void] {
  let isStarting = true;
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        if (!isStarting) return resolve(signal);
        process.stderr.write(`sightline: ${signal} before it was ready: the next start goes on with the log\n`);
        process.exit(0);
      });
    }
  });
  const started = () => {
    isStarting = false;
  };
  return [asked, started];
}
