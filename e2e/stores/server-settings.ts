import type { PostgresService } from "../services/postgres.ts";

type Settings = Readonly<Record<string, string>>;

/** Metrics and the catalog in this database. */
export function postgresSettings({ address }: Pick<PostgresService, "address">): Settings {
  const { host, port, user, password, database } = address;
  const of = (section: string) => ({
    [`SIGHTLINE_${section}__HOST`]: host,
    [`SIGHTLINE_${section}__PORT`]: String(port),
    [`SIGHTLINE_${section}__USER`]: user,
    [`SIGHTLINE_${section}__DATABASE`]: database,
  });
  return {
    PGPASSWORD: password,
    SIGHTLINE_STORAGE__METRICS__KIND: "timescale",
    ...of("STORAGE__METRICS__TIMESCALE"),
    SIGHTLINE_CATALOG__KIND: "postgres",
    ...of("CATALOG__POSTGRES"),
  };
}

export function redisSettings(address: string): Settings {
  return { SIGHTLINE_REDIS__KIND: "single", SIGHTLINE_REDIS__NODES: JSON.stringify([address]) };
}

/** Logs and traces in this node, written after `flushAge`. */
export function openSearchSettings(url: string, prefix: string, flushAge = "1s"): Settings {
  return {
    SIGHTLINE_STORAGE__LOGS__KIND: "opensearch",
    SIGHTLINE_STORAGE__TRACES__KIND: "opensearch",
    SIGHTLINE_STORAGE__OPENSEARCH__NODES: JSON.stringify([url]),
    SIGHTLINE_STORAGE__OPENSEARCH__PREFIX: prefix,
    SIGHTLINE_STORAGE__OPENSEARCH__REPLICAS: "0",
    SIGHTLINE_STORAGE__OPENSEARCH__FLUSH__MAX_AGE: flushAge,
    SIGHTLINE_STORAGE__OPENSEARCH__REQUEST_TIMEOUT: "5s",
  };
}
