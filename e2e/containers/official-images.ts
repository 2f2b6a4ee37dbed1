import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from "testcontainers";
import type { DatabaseAddress } from "../services/postgres.ts";

/** Those of `deploy/docker/compose.yaml`. */
const IMAGES = {
  openSearch: "opensearchproject/opensearch:3.8.0",
  timescale: "timescale/timescaledb:2.23.0-pg17",
  redis: "redis:7-alpine",
};
const POSTGRES_PORT = 5432;
const OPENSEARCH_PORT = 9200;
const REDIS_PORT = 6379;
const USER = "sightline";
/** With the image to be brought first. */
const START_TIMEOUT_MS = 900_000;

/** Why there can be no containers on this machine; undefined when there can. */
export async function containersMissing(): Promise<string | undefined> {
  try {
    await getContainerRuntimeClient();
    return undefined;
  } catch (error) {
    return `no docker, nor anything like it (${(error as Error).message})`;
  }
}

/** A database in a container of its own; its ports are on this machine. */
export type DatabaseContainer<Address> = { readonly address: Address; dispose(): Promise<void> };

/** `settings` are `name=value` of postgresql.conf. */
export async function timescaleContainer(settings: readonly string[]): Promise<DatabaseContainer<DatabaseAddress>> {
  const container = await new GenericContainer(IMAGES.timescale)
    .withEnvironment({ POSTGRES_USER: USER, POSTGRES_PASSWORD: USER, POSTGRES_DB: USER })
    .withCommand(["postgres", ...settings.flatMap((setting) => ["-c", setting])])
    .withExposedPorts(POSTGRES_PORT)
    // It is started twice: first to make the database.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  const login = { user: USER, password: USER, database: USER };
  return running(container, {
    host: container.getHost(),
    port: container.getMappedPort(POSTGRES_PORT),
    ...login,
  });
}

/** The address is a URL. */
export async function openSearchContainer(): Promise<DatabaseContainer<string>> {
  const container = await new GenericContainer(IMAGES.openSearch)
    .withEnvironment({
      "discovery.type": "single-node",
      "cluster.routing.allocation.disk.threshold_enabled": "false",
      "action.destructive_requires_name": "false",
      DISABLE_SECURITY_PLUGIN: "true",
      DISABLE_INSTALL_DEMO_CONFIG: "true",
      OPENSEARCH_JAVA_OPTS: "-Xms512m -Xmx512m",
    })
    .withExposedPorts(OPENSEARCH_PORT)
    .withWaitStrategy(Wait.forHttp("/_cluster/health?wait_for_status=yellow", OPENSEARCH_PORT))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  return running(container, `http://${container.getHost()}:${container.getMappedPort(OPENSEARCH_PORT)}`);
}

/** The address is `host:port`. */
export async function redisContainer(): Promise<DatabaseContainer<string>> {
  const container = await new GenericContainer(IMAGES.redis)
    .withExposedPorts(REDIS_PORT)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  return running(container, `${container.getHost()}:${container.getMappedPort(REDIS_PORT)}`);
}

function running<Address>(container: StartedTestContainer, address: Address): DatabaseContainer<Address> {
  return {
    address,
    dispose: async () => {
      await container.stop();
    },
  };
}
