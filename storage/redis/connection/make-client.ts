import { tlsOptions } from "@sightline/settings/client-tls.ts";
import { readSecret } from "@sightline/settings/setting-file.ts";
import { Cluster, Redis } from "ioredis";
import type { RedisConfig } from "../config.ts";

export type RedisClient = Redis | Cluster;

const MAX_RECONNECT_MS = 1_000;

/**
 * A client that connects when told to and again whenever the connection is lost. Commands fail at once while there is none: nobody
 * waits for Redis. Throws `InvalidInputError` when a file of the settings can't be read.
 */
export function makeClient(config: RedisConfig): RedisClient {
  const { kind } = config;
  const addresses = config.nodes.map(parseAddress);
  const options = optionsOf(config);
  const whole = { ...options, enableOfflineQueue: false, retryStrategy: reconnectMs };
  if (kind === "cluster") {
    return new Cluster(addresses, {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: reconnectMs,
      slotsRefreshTimeout: config.connect_timeout,
      redisOptions: options,
    });
  }
  if (kind === "sentinel") {
    return new Redis({
      ...whole,
      sentinels: addresses,
      name: config.master_name,
      sentinelRetryStrategy: reconnectMs,
      ...(config.sentinel_password_file !== "" && {
        sentinelPassword: readSecret(config.sentinel_password_file, "redis.sentinel_password_file"),
      }),
    });
  }
  return new Redis({ ...whole, ...addresses[0] });
}

/** Of each connection. */
function optionsOf(config: RedisConfig) {
  const tls = tlsOptions(config, "redis.tls_ca_file");
  return {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: config.connect_timeout,
    commandTimeout: config.command_timeout,
    // A server that was made a replica: the new one is found by connecting anew.
    reconnectOnError: ({ message }: Error) => message.startsWith("READONLY"),
    db: config.database,
    ...(config.username !== "" && { username: config.username }),
    ...(config.password_file !== "" && { password: readSecret(config.password_file, "redis.password_file") }),
    ...(tls && { tls }),
  };
}

function reconnectMs(attempt: number): number {
  return Math.min(MAX_RECONNECT_MS, 50 * 2 ** Math.min(attempt, 10));
}

function parseAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}
