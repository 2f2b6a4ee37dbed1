import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 50;

export type ServiceStart = {
  readonly command: string;
  readonly args: readonly string[];
  readonly options?: SpawnOptions;
  /** Asked again and again until it says yes. */
  readonly isReady: () => boolean | Promise<boolean>;
  readonly timeoutMs: number;
};

/** A program that serves others, of which one process runs at a time. */
export class ServiceProcess {
  readonly #name: string;
  #child: ChildProcess | undefined;

  /** The name is for errors. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Settles when it is ready; when it ends before, or takes too long, throws with the end of what it printed. */
  async start({ command, args, options = {}, isReady, timeoutMs }: ServiceStart): Promise<void> {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-20_000);
      });
    }
    const until = Date.now() + timeoutMs;
    while (!(await isReady())) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`${this.#name} did not start:\n${output}`);
      await sleep(PAUSE_MS);
    }
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** Undefined before the first start and after an end. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Freezes it, say: what is connected stays so. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Sends the signal if it runs, and settles once it is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }
}
