import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../harness/free-port.ts";
import { patientMs } from "../harness/patience.ts";
import { ServiceProcess } from "./service-process.ts";

const START_TIMEOUT_MS = patientMs(20_000);

/** `settings` are `name value` lines of redis.conf; `sentinel` makes it a sentinel instead of a server. */
export type RedisServiceOptions = { readonly settings?: readonly string[]; readonly sentinel?: boolean };

/**
 * A Redis server of its own in a temporary directory, on the loopback address. It keeps nothing on disk, as a cache: killed
 * and started again it is empty.
 */
export class RedisService {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly #dir: string;
  readonly #options: RedisServiceOptions;
  readonly #process = new ServiceProcess("Redis");

  private constructor(port: number, options: RedisServiceOptions) {
    this.port = port;
    this.#options = options;
    this.#dir = mkdtempSync(join(tmpdir(), "sightline-redis-"));
  }

  /** Why there can be none on this machine; undefined when there can. */
  static missing(): string | undefined {
    return spawnSync("which", ["redis-server"]).status === 0 ? undefined : "no redis-server on the PATH";
  }

  static async start(options: RedisServiceOptions = {}): Promise<RedisService> {
    const service = new RedisService(await freePort(), options);
    try {
      await service.start();
    } catch (error) {
      await service.dispose();
      throw error;
    }
    return service;
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** After {@link kill}. */
  async start(): Promise<void> {
    const file = join(this.#dir, "redis.conf");
    const { settings = [], sentinel = false } = this.#options;
    const own = sentinel ? [] : ['save ""', "appendonly no"];
    const lines = [
      `bind ${this.host}`,
      `port ${this.port}`,
      `dir ${this.#dir}`,
      "protected-mode no",
      ...own,
      ...settings,
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
    await this.#process.start({
      command: "redis-server",
      args: [file, ...(sentinel ? ["--sentinel"] : [])],
      isReady: () => this.#isReady(),
      timeoutMs: START_TIMEOUT_MS,
    });
  }

  kill(): Promise<void> {
    return this.#process.end("SIGKILL");
  }

  stop(): Promise<void> {
    return this.#process.end("SIGTERM");
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  /** Freezes or thaws the process: what is connected stays so. */
  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  /** Runs one command with redis-cli and gives what it prints. */
  cli(...args: readonly string[]): string {
    return spawnSync("redis-cli", ["-h", this.host, "-p", String(this.port), ...args], { encoding: "utf8" }).stdout;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #isReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, this.host, () => socket.write("PING\r\n"));
      const end = (isReady: boolean) => {
        socket.destroy();
        resolve(isReady);
      };
      socket.once("data", (answer) => end(answer.toString().startsWith("+PONG")));
      socket.once("error", () => end(false));
      socket.once("close", () => end(false));
    });
  }
}
