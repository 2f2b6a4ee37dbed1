import { RoundRobinProxy } from "../harness/round-robin-proxy.ts";
import { ServerProcess } from "../harness/server-process.ts";
import type { Endpoints } from "../harness/tracked-writer.ts";
import { OpenSearchService } from "../services/opensearch.ts";
import { PostgresService } from "../services/postgres.ts";
import { RedisService } from "../services/redis.ts";
import { openSearchSettings, postgresSettings, redisSettings } from "./server-settings.ts";

const COLLECTORS = 2;
const QUERIERS = 2;

/** Why there can be no cluster on this machine; undefined when there can. */
export function clusterMissing(): string | undefined {
  return PostgresService.missing() ?? OpenSearchService.missing() ?? RedisService.missing();
}

/** Collectors and queriers as processes of their own behind a proxy each, and the databases that they share. */
export class Cluster {
  readonly postgres: PostgresService;
  readonly openSearch: OpenSearchService;
  readonly redis: RedisService;
  readonly collectors: ServerProcess[] = [];
  readonly queriers: ServerProcess[] = [];
  /** Of every server. */
  settings: Readonly<Record<string, string>> = {};
  readonly #proxies: RoundRobinProxy[] = [];

  private constructor(postgres: PostgresService, openSearch: OpenSearchService, redis: RedisService) {
    this.postgres = postgres;
    this.openSearch = openSearch;
    this.redis = redis;
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Cluster> {
    const databases = [PostgresService.start(), OpenSearchService.start(), RedisService.start()] as const;
    const cluster = new Cluster(...(await Promise.all(databases)));
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

  async dispose(): Promise<void> {
    for (const proxy of this.#proxies) await proxy.stop();
    await Promise.all([...this.collectors, ...this.queriers].map((server) => server.dispose()));
    await Promise.all([this.postgres.dispose(), this.openSearch.dispose(), this.redis.dispose()]);
  }

  async #startServers(settings: Readonly<Record<string, string>>): Promise<void> {
    this.settings = {
      SIGHTLINE_SELF_TELEMETRY__ENABLED: "false",
      ...postgresSettings(this.postgres),
      ...openSearchSettings(this.openSearch.url, "cluster", "200ms"),
      ...redisSettings(this.redis.address),
      ...settings,
    };
    const env = this.settings;
    for (let i = 0; i < COLLECTORS; i++) {
      this.collectors.push(await ServerProcess.start({ env, args: ["--target", "collector"] }));
    }
    for (let i = 0; i < QUERIERS; i++) {
      this.queriers.push(await ServerProcess.start({ env, args: ["--target", "query"] }));
    }
    for (const servers of [this.collectors, this.queriers]) {
      this.#proxies.push(await RoundRobinProxy.start(servers.map((server) => () => server.url)));
    }
  }

  /** Over HTTP alone: the proxies know no gRPC. */
  #endpoints(which: number): Endpoints {
    const { url } = this.#proxies[which] as RoundRobinProxy;
    return { url, otlpHttp: url, otlpGrpc: "" };
  }
}
