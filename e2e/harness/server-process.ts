import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { patientMs } from "./patience.ts";
import { cpuSecondsOf, peakMiBOf } from "./process-usage.ts";
import { type ProgramResult, runProgram } from "./run-program.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const START_TIMEOUT_MS = patientMs(60_000);

export type ServerProcessOptions = {
  /** Kept between starts; default a new temporary directory, removed by `dispose`. */
  readonly dataDir?: string | undefined;
  readonly args?: readonly string[];
  /** A function is asked at each start. */
  readonly env?: Environment | (() => Environment);
};
type Environment = Readonly<Record<string, string>>;

/** The real process, started as a user does, on free ports of loopback. */
export class ServerProcess {
  readonly dataDir: string;
  readonly #ownsDataDir: boolean;
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);
  #stdout = "";
  #stderr = "";
  url = "";
  otlpGrpc = "";
  otlpHttp = "";

  private constructor(options: ServerProcessOptions) {
    this.#options = options;
    this.#ownsDataDir = options.dataDir === undefined;
    this.dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "sightline-e2e-"));
  }

  static async start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    await server.restart();
    return server;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What it printed since the last start. */
  get stdout(): string {
    return this.#stdout;
  }

  /** What it logged since the last start. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Starts it again on the same data directory, on new ports; returns the milliseconds until it was ready. */
  async restart(): Promise<number> {
    const began = performance.now();
    this.#stdout = "";
    this.#stderr = "";
    const free = "127.0.0.1:0";
    const args = [
      "server/main.ts",
      "--data-dir",
      this.dataDir,
      "--listen",
      free,
      "--otlp-grpc",
      free,
      "--otlp-http",
      free,
    ];
    const { env } = this.#options;
    const child = spawn(process.execPath, [...args, ...(this.#options.args ?? [])], {
      cwd: ROOT,
      env: childEnvironment(typeof env === "function" ? env() : env),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    // With the last of what it said.
    this.#exited = new Promise((resolve) => child.once("close", (code) => resolve(code)));
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-1_000_000);
    });
    await this.#ready(child);
    await this.#findAddresses();
    return performance.now() - began;
  }

  #ready(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`not ready after ${START_TIMEOUT_MS} ms\n${this.#stderr}`)),
        START_TIMEOUT_MS,
      );
      child.stdout?.on("data", (chunk: Buffer) => {
        this.#stdout = (this.#stdout + chunk.toString()).slice(-1_000_000);
        const url = /sightline is ready: (\S+)/.exec(this.#stdout)?.[1];
        if (url === undefined) return;
        this.url = url;
        clearTimeout(timer);
        resolve();
      });
      child.once("close", (code) => {
        clearTimeout(timer);
        reject(new Error(`exited with ${code} before it was ready\n${this.#stderr}`));
      });
    });
  }

  /** The other ports stand in the log line that comes before the ready line. */
  async #findAddresses(): Promise<void> {
    const deadline = performance.now() + patientMs(2_000);
    for (;;) {
      const line = this.#stderr.split("\n").find((text) => text.includes('"msg":"accepting traffic"'));
      if (line !== undefined) {
        const fields = JSON.parse(line) as { otlpGrpc: string; otlpHttp: string };
        this.otlpGrpc = fields.otlpGrpc;
        this.otlpHttp = fields.otlpHttp;
        return;
      }
      if (performance.now() > deadline) throw new Error(`no line "accepting traffic" in the log\n${this.#stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number | null> {
    this.#child?.kill("SIGTERM");
    return this.#exited;
  }

  /** SIGKILL: no chance to say goodbye. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  get isAlive(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  async dispose(): Promise<void> {
    await this.kill();
    if (this.#ownsDataDir) rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** User and system time so far, in seconds. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.pid);
  }

  /** Starts {@link peakMemoryMiB} anew from the resident size of now. */
  forgetPeakMemory(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, "5");
  }

  /** What it may use, by its own log. */
  memoryLimitMiB(): number {
    const bytes = /"limit":\{[^}]*"bytes":(\d+)/.exec(this.#stderr)?.[1];
    if (bytes === undefined) throw new Error(`no memory limit in the log\n${this.#stderr}`);
    return Math.round(Number(bytes) / 1024 / 1024);
  }

  /** Largest resident size so far, in MiB. */
  peakMemoryMiB(): number {
    return peakMiBOf(this.pid);
  }
}

/** Tests start many servers, and mind no slow first answer. */
const DEFAULTS: Environment = { SIGHTLINE_QUERY__WARM_UP: "false" };

/** Ours without its SIGHTLINE_* variables: they are settings of the tests, or of whoever runs them. */
export function childEnvironment(own: Environment = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("SIGHTLINE_"));
  return { ...Object.fromEntries(inherited), ...DEFAULTS, ...own };
}

/** Runs one command line of the process to its end. */
export function runCommandLine(args: readonly string[], env: Environment = {}): Promise<ProgramResult> {
  return runProgram(process.execPath, ["server/main.ts", ...args], {
    cwd: ROOT,
    env: childEnvironment(env),
    timeout: START_TIMEOUT_MS,
  });
}

/** Bytes of all files below a directory. */
export function directoryBytes(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}
