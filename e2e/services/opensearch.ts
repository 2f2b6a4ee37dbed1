import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../harness/free-port.ts";
import { patientMs } from "../harness/patience.ts";
import { ServiceProcess } from "./service-process.ts";

const START_TIMEOUT_MS = patientMs(60_000);
const SETUP_TIMEOUT_MS = 900_000;
/** Of opensearch.yml, by name. */
type Settings = Readonly<Record<string, string>>;
const DEFAULTS: Settings = {
  "cluster.name": "sightline-tests",
  "discovery.type": "single-node",
  "network.host": "127.0.0.1",
  "transport.port": "0",
  // However full the machine is on which the tests run.
  "cluster.routing.allocation.disk.threshold_enabled": "false",
  "action.destructive_requires_name": "false",
};
const SETUP = join(import.meta.dirname, "opensearch/setup.sh");

/**
 * An OpenSearch node of its own in a temporary directory, on the loopback address, without plugins. It can be killed and
 * started again on the same data.
 */
export class OpenSearchService {
  readonly url: string;
  readonly #dist: string;
  readonly #dir: string;
  readonly #port: number;
  readonly #settings: Settings;
  readonly #process = new ServiceProcess("OpenSearch");

  private constructor(dist: string, dir: string, port: number, settings: Settings) {
    this.#settings = settings;
    this.#dist = dist;
    this.#dir = dir;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Sets it up, which takes a minute or two, when this machine can and does not have it yet. */
  static prepare(): void {
    if (absentCommands().length > 0) return;
    // Of two processes that set it up at a time each would destroy what the other has brought.
    const { status } = spawnSync("flock", [join(tmpdir(), "sightline-opensearch.lock"), "bash", SETUP, distDir()], {
      timeout: SETUP_TIMEOUT_MS,
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (status !== 0) process.stderr.write("OpenSearch could not be set up\n");
  }

  /** Why there can be none on this machine; undefined when there can. */
  static missing(): string | undefined {
    if (existsSync(join(distDir(), ".done"))) return undefined;
    const absent = absentCommands();
    return absent.length > 0 ? `no ${absent.join(", ")} to set it up with` : "it could not be set up (see above)";
  }

  /** `settings` go before {@link DEFAULTS}; its data are below `parentDir`. Throws when {@link missing}. */
  static async start(settings: Settings = {}, parentDir = tmpdir()): Promise<OpenSearchService> {
    const dist = distDir();
    const dir = mkdtempSync(join(parentDir, "sightline-opensearch-"));
    const service = new OpenSearchService(dist, dir, await freePort(), settings);
    try {
      await service.start();
    } catch (error) {
      await service.dispose();
      throw error;
    }
    return service;
  }

  /** Nodes of one cluster, of which any may manage it: of three each may be away for a while. */
  static async startNodes(count: number): Promise<readonly OpenSearchService[]> {
    const names = Array.from({ length: count }, (_, i) => `node-${i}`);
    const ports = await Promise.all(names.map(() => freePort()));
    const common = {
      "discovery.type": "zen",
      "discovery.seed_hosts": JSON.stringify(ports.map((port) => `127.0.0.1:${port}`)),
      "cluster.initial_cluster_manager_nodes": JSON.stringify(names),
    };
    // At the same time: none answers before most of them are there.
    const starts = names.map((name, i) =>
      OpenSearchService.start({ ...common, "node.name": name, "transport.port": String(ports[i]) }),
    );
    const nodes = await Promise.allSettled(starts);
    const failed = nodes.find((node) => node.status === "rejected");
    if (!failed) return Promise.all(starts);
    for (const node of nodes) if (node.status === "fulfilled") await node.value.dispose();
    throw failed.reason;
  }

  /** Settles when every shard has all its copies. */
  async untilGreen(): Promise<void> {
    const until = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const answer = await fetch(`${this.url}/_cluster/health?wait_for_status=green&timeout=5s`).catch(() => undefined);
      if (answer?.ok) return;
      if (Date.now() > until) throw new Error(`OpenSearch is not green: ${await answer?.text()}`);
      await sleep(200);
    }
  }

  /** After {@link stop} or {@link kill}. Settles when it answers. */
  async start(): Promise<void> {
    this.#configure();
    await this.#process.start({
      command: join(this.#dist, "jre/bin/java"),
      args: this.#arguments(),
      options: { cwd: this.#dir },
      isReady: () => this.#isReady(),
      timeoutMs: START_TIMEOUT_MS,
    });
  }

  /** As when the machine loses its power. */
  kill(): Promise<void> {
    return this.#process.end("SIGKILL");
  }

  stop(): Promise<void> {
    return this.#process.end("SIGTERM");
  }

  /** Freezes or thaws the process: what is connected stays so. */
  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      const { ok } = await fetch(`${this.url}/_cluster/health?wait_for_status=yellow&timeout=1s`);
      return ok;
    } catch {
      return false;
    }
  }

  #configure(): void {
    const config = join(this.#dir, "config");
    mkdirSync(join(this.#dir, "tmp"), { recursive: true });
    cpSync(join(this.#dist, "config"), config, { recursive: true });
    const settings: Settings = {
      ...DEFAULTS,
      "http.port": String(this.#port),
      "path.home": this.#dist,
      "path.data": join(this.#dir, "data"),
      "path.logs": this.#dir,
      ...this.#settings,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}: ${value}\n`);
    writeFileSync(join(config, "opensearch.yml"), lines.join(""));
  }

  #arguments(): string[] {
    const heap = process.env.SIGHTLINE_OPENSEARCH_HEAP ?? "512m";
    // A node lives for a minute or two: the better compiler would be at work for most of that. 4 is what others run.
    const tier = process.env.SIGHTLINE_OPENSEARCH_TIER ?? "1";
    return [
      `-XX:TieredStopAtLevel=${tier}`,
      // On two cores G1, which is for many, costs a tenth more of every record.
      ...[`-Xms${heap}`, `-Xmx${heap}`, "-XX:+UseSerialGC", "-Xss1m"],
      // Starts sooner; what was loaded is remembered for the next start.
      ...["-XX:+AutoCreateSharedArchive", `-XX:SharedArchiveFile=${join(this.#dist, "classes.jsa")}`],
      ...["-Dfile.encoding=UTF-8", "-Djava.awt.headless=true", `-Djava.io.tmpdir=${join(this.#dir, "tmp")}`],
      ...["-Dio.netty.noUnsafe=true", "-Dio.netty.noKeySetOptimization=true"],
      ...["-Dio.netty.recycler.maxCapacityPerThread=0", "-Dio.netty.allocator.numDirectArenas=0"],
      "-Djava.locale.providers=SPI,CLDR",
      // Without its native half OpenSearch can't tell that it runs as root, which it would refuse.
      ...["-Djna.nosys=true", "-Djna.noclasspath=true"],
      ...["-Dlog4j.shutdownHookEnabled=false", "-Dlog4j2.disable.jmx=true", "-Dlog4j2.formatMsgNoLookups=true"],
      "--enable-native-access=ALL-UNNAMED",
      ...[`-Dopensearch.path.home=${this.#dist}`, `-Dopensearch.path.conf=${join(this.#dir, "config")}`],
      ...["-Dopensearch.distribution.type=tar", "-Dopensearch.bundled_jdk=false"],
      ...["-cp", `${join(this.#dist, "lib")}/*`, "org.opensearch.bootstrap.OpenSearch"],
    ];
  }
}

function distDir(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return process.env.SIGHTLINE_OPENSEARCH_DIST ?? join(cache, "sightline", "opensearch");
}

function absentCommands(): readonly string[] {
  const wanted = ["mvn", "javac", "jar", "python3", "bash", "flock"];
  return wanted.filter((command) => spawnSync("which", [command]).status !== 0);
}
