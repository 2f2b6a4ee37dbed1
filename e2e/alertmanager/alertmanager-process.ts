import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { patientMs } from "../harness/patience.ts";

const MAIN = fileURLToPath(new URL("../../server/main.ts", import.meta.url));
const START_TIMEOUT_MS = patientMs(60_000);

export type AlertmanagerProcessOptions = {
  readonly configFile: string;
  readonly dataDir: string;
  readonly flags?: readonly string[];
  /** Another one than ours: the binary of an Alertmanager. */
  readonly binary?: string | undefined;
};

/** `sightline alertmanager`, or the real one, on a free port of loopback at each start. */
export class AlertmanagerProcess {
  readonly #options: AlertmanagerProcessOptions;
  #child: ChildProcess | undefined;
  stderr = "";
  url = "";

  constructor(options: AlertmanagerProcessOptions) {
    this.#options = options;
  }

  get dataDir(): string {
    return this.#options.dataDir;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const { configFile, dataDir, flags = [], binary } = this.#options;
    const program = binary === undefined ? [process.execPath, MAIN, "alertmanager"] : [binary];
    const args = ["--config.file", configFile, "--storage.path", dataDir, "--cluster.listen-address="];
    const [command = "", ...before] = program;
    const child = spawn(command, [...before, ...args, "--web.listen-address", "127.0.0.1:0", ...flags], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    this.stderr = "";
    const listening = new Promise<string>((resolve, reject) => {
      child.stderr?.on("data", (data: Buffer) => {
        this.stderr += data.toString();
        const address = /msg="Listening on" address=(\S+)/.exec(this.stderr)?.[1];
        if (address) resolve(address);
      });
      child.once("exit", () => reject(new Error(`it ended before it listened: ${this.stderr}`)));
    });
    const timeout = AbortSignal.timeout(START_TIMEOUT_MS);
    const late = once(timeout, "abort").then(() => Promise.reject(new Error(`it does not start: ${this.stderr}`)));
    this.url = `http://${await Promise.race([listening, late])}`;
  }

  /** Without the chance to write anything. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  /** True when it was acknowledged. */
  async post(path: string, body: unknown): Promise<{ readonly ok: boolean; readonly text: string }> {
    try {
      const response = await fetch(`${this.url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return { ok: response.ok, text: await response.text() };
    } catch {
      return { ok: false, text: "no answer" };
    }
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(`${this.url}${path}`)).json();
  }
}
