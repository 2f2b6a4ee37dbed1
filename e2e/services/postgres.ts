import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../harness/free-port.ts";
import { patientMs } from "../harness/patience.ts";
import { ServiceProcess } from "./service-process.ts";

/** Where a test database listens. */
export type DatabaseAddress = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
};

const START_TIMEOUT_MS = patientMs(20_000);
/** Whom the server runs as when the tests run as root, which PostgreSQL refuses. */
const SYSTEM_USERS = ["postgres", "nobody"];

/**
 * A PostgreSQL server of its own in a temporary directory, on the loopback address, with fsync as in production. It can be
 * killed and started again on the same data.
 */
export class PostgresService {
  readonly address: DatabaseAddress;
  readonly #bin: string;
  readonly #dir: string;
  readonly #owner: { uid: number; gid: number } | undefined;
  readonly #settings: readonly string[];
  readonly #process = new ServiceProcess("PostgreSQL");

  private constructor(bin: string, dir: string, port: number, settings: readonly string[]) {
    this.#bin = bin;
    this.#dir = dir;
    this.#owner = ownerOf(dir);
    this.#settings = settings;
    const password = randomBytes(12).toString("hex");
    this.address = { host: "127.0.0.1", port, user: "sightline", password, database: "postgres" };
  }

  /** Why there can be none on this machine; undefined when there can. */
  static missing(): string | undefined {
    if (findBinaries() === undefined)
      return "no PostgreSQL server binaries (set SIGHTLINE_POSTGRES_BIN to their directory)";
    if (process.getuid?.() === 0 && systemUser() === undefined) return "no system user that PostgreSQL could run as";
    return undefined;
  }

  /** `settings` are `name=value` of postgresql.conf; its data are below `parentDir`. Throws when {@link missing}. */
  static async start(settings: readonly string[] = [], parentDir = tmpdir()): Promise<PostgresService> {
    const bin = findBinaries();
    if (bin === undefined) throw new Error(PostgresService.missing());
    const dir = mkdtempSync(join(parentDir, "sightline-postgres-"));
    const service = new PostgresService(bin, dir, await freePort(), settings);
    try {
      service.#initialize();
      await service.start();
    } catch (error) {
      await service.dispose();
      throw error;
    }
    return service;
  }

  /** After {@link stop} or {@link kill}. */
  async start(): Promise<void> {
    const { host, port } = this.address;
    const settings = [
      `listen_addresses=${host}`,
      `port=${port}`,
      `unix_socket_directories=${this.#dir}`,
      "max_connections=60",
      "shared_buffers=256MB",
      "max_wal_size=2GB",
      ...this.#settings,
    ];
    const args = ["-D", join(this.#dir, "data"), ...settings.flatMap((setting) => ["-c", setting])];
    await this.#process.start({
      command: join(this.#bin, "postgres"),
      args,
      options: { ...this.#owner },
      isReady: () => this.#isReady(),
      timeoutMs: START_TIMEOUT_MS,
    });
  }

  /** As when the machine loses its power: nothing is shut down. The children notice and end, too. */
  async kill(): Promise<void> {
    await this.#process.end("SIGKILL");
    await sleep(200);
  }

  /** Disconnects everybody and shuts down cleanly. */
  async stop(): Promise<void> {
    await this.#process.end("SIGINT");
  }

  /** Freezes or thaws the server with those of its processes that serve connections: what is connected stays so. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    this.#process.signal(signal);
    const children = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" }).stdout ?? "";
    for (const pid of children
      .split("\n")
      .map(Number)
      .filter((child) => child > 0))
      signalIfThere(pid, signal);
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #initialize(): void {
    const passwordFile = join(this.#dir, "password");
    writeFileSync(passwordFile, this.address.password);
    if (this.#owner) chownSync(passwordFile, this.#owner.uid, this.#owner.gid);
    const { user } = this.address;
    const args = ["-D", join(this.#dir, "data"), "-U", user, "-E", "UTF8", "--locale=C", "--auth=scram-sha-256"];
    const { status, stderr } = spawnSync(
      join(this.#bin, "initdb"),
      [...args, `--pwfile=${passwordFile}`, "--no-sync"],
      {
        ...this.#owner,
        encoding: "utf8",
      },
    );
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
  }

  #isReady(): boolean {
    const { host, port } = this.address;
    return spawnSync(join(this.#bin, "pg_isready"), ["-q", "-h", host, "-p", String(port)]).status === 0;
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function findBinaries(): string | undefined {
  const candidates = [
    process.env.SIGHTLINE_POSTGRES_BIN ?? "",
    ...globSync("/usr/lib/postgresql/*/bin").sort().reverse(),
    ...(process.env.PATH ?? "").split(":"),
  ];
  return candidates.find((dir) => dir !== "" && ["postgres", "initdb"].every((name) => existsSync(join(dir, name))));
}

function systemUser(): { uid: number; gid: number } | undefined {
  for (const name of SYSTEM_USERS) {
    const uid = Number(spawnSync("id", ["-u", name], { encoding: "utf8" }).stdout || "NaN");
    const gid = Number(spawnSync("id", ["-g", name], { encoding: "utf8" }).stdout || "NaN");
    if (uid > 0) return { uid, gid };
  }
  return undefined;
}

function ownerOf(dir: string): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = systemUser();
  if (!owner) throw new Error(PostgresService.missing());
  chownSync(dir, owner.uid, owner.gid);
  return owner;
}
