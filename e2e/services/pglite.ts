import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { freePort } from "../harness/free-port.ts";
import { patientMs } from "../harness/patience.ts";
import type { DatabaseAddress } from "./postgres.ts";

const START_TIMEOUT_MS = patientMs(40_000);

/**
 * TimescaleDB without anything to install: PostgreSQL compiled to WebAssembly, in a process of its own. It takes one connection
 * at a time, can't COPY in, forgets everything when it ends, and is slow.
 */
export class PgliteService {
  readonly address: DatabaseAddress;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.address = { host: "127.0.0.1", port, user: "postgres", password: "", database: "postgres" };
  }

  static async start(): Promise<PgliteService> {
    const port = await freePort();
    const script = fileURLToPath(new URL("./pglite-process.ts", import.meta.url));
    const child = spawn(process.execPath, [script, String(port)], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    await new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error(`PGlite did not start: ${output}`));
      const timer = setTimeout(fail, START_TIMEOUT_MS);
      const read = (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-10_000);
        if (!/^ready \d+$/m.test(output)) return;
        clearTimeout(timer);
        resolve();
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("exit", fail);
    });
    return new PgliteService(child, port);
  }

  async dispose(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGKILL");
    await ended;
  }
}
