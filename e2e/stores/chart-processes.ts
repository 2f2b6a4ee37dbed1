import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Container, type Manifest, renderChart, type Volume } from "../services/chart-tools.ts";
import type { DatabaseAddress } from "../services/postgres.ts";

export type ChartDatabases = {
  readonly postgres: DatabaseAddress;
  readonly openSearchUrl: string;
  readonly redisAddress: string;
};
/** What a pod of the chart runs: the arguments of its container and its variables. */
export type ChartProcess = { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
export type ChartComponent = "collector" | "query" | "alerting" | "migrate";

const NAME = "app.kubernetes.io/component";

/**
 * What the containers of the chart in mode cluster run, over databases of one's own, with its volumes as files below `dir`: paths
 * of mounts become paths there, and nothing else is changed. `env`: more variables for all of them. Throws what helm says.
 */
export function chartProcesses(
  databases: ChartDatabases,
  env: Readonly<Record<string, string>>,
  dir: string,
): Map<ChartComponent, ChartProcess> {
  const manifests = renderChart("-f", valuesFile(databases, env, dir));
  const processes = new Map<ChartComponent, ChartProcess>();
  for (const { metadata, spec } of manifests) {
    const pod = spec?.template?.spec;
    const [container] = pod?.containers ?? [];
    const component = metadata.labels?.[NAME] as ChartComponent | undefined;
    if (!pod || !container || component === undefined) continue;
    const root = join(dir, component);
    writeVolumes(container, pod.volumes ?? [], { root, manifests, password: databases.postgres.password });
    processes.set(component, processOf(container, root));
  }
  return processes;
}

/** JSON is YAML. */
function valuesFile(
  { postgres, openSearchUrl, redisAddress }: ChartDatabases,
  env: Readonly<Record<string, string>>,
  dir: string,
): string {
  const { host, port, user, database } = postgres;
  const values = {
    mode: "cluster",
    auth: { mode: "none" },
    databases: {
      postgres: { host, port, user, database, existingSecret: "postgres" },
      opensearch: { nodes: [openSearchUrl] },
      redis: { kind: "single", nodes: [redisAddress] },
    },
    alerting: { enabled: true },
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
  };
  const file = join(dir, "values.yaml");
  writeFileSync(file, JSON.stringify(values));
  return file;
}

type Mounting = { readonly root: string; readonly manifests: readonly Manifest[]; readonly password: string };

/** Files as Kubernetes makes them of ConfigMaps and secrets; paths in them are those below `root`. */
function writeVolumes(container: Container, volumes: readonly Volume[], { root, manifests, password }: Mounting): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const volume = volumes.find((one) => one.name === name);
    const map = manifests.find(
      ({ kind, metadata }) => kind === "ConfigMap" && metadata.name === volume?.configMap?.name,
    );
    for (const [file, text] of Object.entries(map?.data ?? {})) {
      write(join(root, mountPath, file), below(root, text, container));
    }
    for (const { path } of volume?.secret?.items ?? []) write(join(root, mountPath, path), password);
  }
}

function processOf(container: Container, root: string): ChartProcess {
  const env = (container.env ?? []).map(({ name, value }) => [name, value ?? ""] as const);
  return { args: (container.args ?? []).map((arg) => below(root, arg, container)), env: Object.fromEntries(env) };
}

/** Replaces paths of mounts, all at once: `root` may be below one of them itself. */
function below(root: string, text: string, { volumeMounts = [] }: Container): string {
  const paths = volumeMounts.map(({ mountPath }) => mountPath).join("|");
  return text.replaceAll(new RegExp(`(?<![\\w.-])(?:${paths})(?=/|\\s|$)`, "gm"), (path) => join(root, path));
}
