import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RoundRobinProxy } from "../harness/round-robin-proxy.ts";
import { runCommandLine, ServerProcess } from "../harness/server-process.ts";
import type { Endpoints } from "../harness/tracked-writer.ts";
import { helmMissing } from "../services/chart-tools.ts";
import { OpenSearchService } from "../services/opensearch.ts";
import { PostgresService } from "../services/postgres.ts";
import { RedisService } from "../services/redis.ts";
import { type ChartComponent, type ChartProcess, chartProcesses } from "./chart-processes.ts";
import { openSearchSettings, postgresSettings, redisSettings } from "./server-settings.ts";

const COLLECTORS = 2;
const QUERIERS = 2;

/** Why there can be no cluster on this machine; undefined when there can. */
export function clusterMissing(): string | undefined {
  return PostgresService.missing() ?? OpenSearchService.missing() ?? RedisService.missing();
}

type Databases = readonly [PostgresService, OpenSearchService, RedisService];

function startDatabases(): Promise<Databases> {
  return Promise.all([PostgresService.start(), OpenSearchService.start(), RedisService.start()]);
}

/**
 * Collectors and queriers as processes of their own behind a proxy each, and the databases that they share. Where there is a helm
 * they are run as the containers of the Helm chart, with its settings and after its migration.
 */
export class Cluster {
  readonly postgres: PostgresService;
  readonly openSearch: OpenSearchService;
  readonly redis: RedisService;
  readonly collectors: ServerProcess[] = [];
  readonly queriers: ServerProcess[] = [];
  /** Of every server. */
  settings: Readonly<Record<string, string>> = {};
  readonly #proxies: RoundRobinProxy[] = [];
  readonly #dir = mkdtempSync(join(tmpdir(), "sightline-cluster-"));
  /** Undefined: there is no helm. */
  #chart: ReadonlyMap<ChartComponent, ChartProcess> | undefined;

  private constructor(postgres: PostgresService, openSearch: OpenSearchService, redis: RedisService) {
    this.postgres = postgres;
    this.openSearch = openSearch;
    this.redis = redis;
  }

  /** With databases of its own, or those that are given, which it disposes of, too. */
  static async start(settings: Readonly<Record<string, string>> = {}, databases = startDatabases()): Promise<Cluster> {
    const cluster = new Cluster(...(await databases));
    try {
      await cluster.#startServers(settings);
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
    return cluster;
  }

  /** Where to send. */
  get senders(): Endpoints {
    return this.#endpoints(0);
  }

  /** Where to ask. */
  get readers(): Endpoints {
    return this.#endpoints(1);
  }

  /** One more process of this kind, with these settings over those of all. */
  startServer(
    component: Exclude<ChartComponent, "migrate">,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const { args, env } = this.#chart?.get(component) ?? { args: ["--target", component], env: this.settings };
    return ServerProcess.start({ args, env: { ...env, ...settings } });
  }

  async dispose(): Promise<void> {
    for (const proxy of this.#proxies) await proxy.stop();
    await Promise.all([...this.collectors, ...this.queriers].map((server) => server.dispose()));
    await Promise.all([this.postgres.dispose(), this.openSearch.dispose(), this.redis.dispose()]);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #startServers(settings: Readonly<Record<string, string>>): Promise<void> {
    const own = {
      SIGHTLINE_SELF_TELEMETRY__ENABLED: "false",
      ...openSearchSettings(this.openSearch.url, "cluster", "200ms"),
      ...settings,
    };
    this.settings = { ...postgresSettings(this.postgres), ...redisSettings(this.redis.address), ...own };
    if (helmMissing() === undefined) await this.#useChart(own);
    for (let i = 0; i < COLLECTORS; i++) this.collectors.push(await this.startServer("collector"));
    for (let i = 0; i < QUERIERS; i++) this.queriers.push(await this.startServer("query"));
    for (const servers of [this.collectors, this.queriers]) {
      this.#proxies.push(await RoundRobinProxy.start(servers.map((server) => () => server.url)));
    }
  }

  async #useChart(env: Readonly<Record<string, string>>): Promise<void> {
    const databases = {
      postgres: this.postgres.address,
      openSearchUrl: this.openSearch.url,
      redisAddress: this.redis.address,
    };
    this.#chart = chartProcesses(databases, env, this.#dir);
    const { args = [], env: own } = this.#chart.get("migrate") ?? {};
    const { code, stderr } = await runCommandLine(args, own);
    if (code !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
  }

  /** Over HTTP alone: the proxies know no gRPC. */
  #endpoints(which: number): Endpoints {
    const { url } = this.#proxies[which] as RoundRobinProxy;
    return { url, otlpHttp: url, otlpGrpc: "" };
  }
}
