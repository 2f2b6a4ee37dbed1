import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

export const CHART = fileURLToPath(new URL("../../deploy/helm/sightline", import.meta.url));
/** Where `chart-tools.sh` installs them for CI. */
const TOOLS = join(homedir(), ".cache/sightline/chart-tools");
/** The chart asks for 1.25 or newer; by default helm takes a version of its own for that of the cluster. */
const KUBERNETES = "1.31.0";

/** Of an object that the chart makes, what tests look at. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly securityContext?: object;
        readonly containers: readonly Container[];
        readonly volumes?: readonly Volume[];
      };
    };
  };
};
export type Container = {
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext?: object;
  readonly resources?: object;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
};
export type Volume = {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly items: readonly { readonly key: string; readonly path: string }[] };
};

/** `SIGHTLINE_E2E_HELM`, that of the PATH, or that which `chart-tools.sh` installed. */
function helmPath(): string {
  const installed = join(TOOLS, "bin/helm");
  if (process.env.SIGHTLINE_E2E_HELM !== undefined) return process.env.SIGHTLINE_E2E_HELM;
  return spawnSync("helm", ["version"]).status === 0 || !existsSync(installed) ? "helm" : installed;
}
const HELM = helmPath();

export function helm(...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(HELM, args, { encoding: "utf8" });
}

/** Why the chart can't be rendered on this machine; undefined when it can. */
export function helmMissing(): string | undefined {
  return helm("version").status === 0 ? undefined : "no helm on the PATH, nor SIGHTLINE_E2E_HELM (chart-tools.sh)";
}

/** The chart with these flags of `helm template`, as YAML. Throws what helm says. */
export function templateChart(...flags: readonly string[]): string {
  const { stdout, stderr, status } = helm("template", "rel", CHART, "--kube-version", KUBERNETES, ...flags);
  if (status !== 0 || stderr !== "") throw new Error(`helm template ${flags.join(" ")}: ${stderr}`);
  return stdout;
}

export function renderChart(...flags: readonly string[]): Manifest[] {
  return parseAllDocuments(templateChart(...flags)).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
}

const PYTHON = { encoding: "utf8", env: { ...process.env, PYTHONPATH: join(TOOLS, "python") } } as const;

/** Why there are no schemas of Kubernetes on this machine; undefined when there are. */
export function schemasMissing(): string | undefined {
  const { status } = spawnSync("python3", ["-m", "kubernetes_validate", "--version"], PYTHON);
  return status === 0 ? undefined : "no kubernetes-validate for python3 (chart-tools.sh)";
}

/**
 * What Kubernetes' own schemas of a version say against a file of objects, unknown fields included; a line each. Kinds that
 * are not Kubernetes' own (custom resources) are named there, too.
 */
export function schemaErrors(file: string, version: string): string[] {
  const args = ["-m", "kubernetes_validate", "--strict", "--quiet", "-k", version, file];
  const { stdout, stderr } = spawnSync("python3", args, PYTHON);
  return `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
}
