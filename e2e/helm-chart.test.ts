import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { runCommandLine } from "./harness/server-process.ts";

const CHART = fileURLToPath(new URL("../deploy/helm/sightline", import.meta.url));
const VALUES = ["single", "cluster", "trial"] as const;
const HELM = process.env.SIGHTLINE_E2E_HELM ?? "helm";

type Container = { readonly args?: readonly string[]; readonly securityContext?: object; readonly resources?: object };
type Manifest = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly securityContext?: object; readonly containers: readonly Container[] };
    };
  };
};

function helm(...args: readonly string[]) {
  return spawnSync(HELM, args, { encoding: "utf8" });
}

function render(values: string, ...more: readonly string[]): Manifest[] {
  const file = join(CHART, "ci", `${values}-values.yaml`);
  const { stdout, stderr, status } = helm("template", "rel", CHART, "--kube-version", "1.31.0", "-f", file, ...more);
  expect([status, stderr]).toEqual([0, ""]);
  return parseAllDocuments(stdout).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
}

const isThere = helm("version").status === 0;
if (!isThere) process.stderr.write("skipped: the Helm chart: no helm on the PATH, nor SIGHTLINE_E2E_HELM\n");

describe.skipIf(!isThere)("the Helm chart", () => {
  const dir = mkdtempSync(join(tmpdir(), "sightline-chart-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test.each(VALUES)("is well made with the values %s", (values) => {
    const { status, stdout } = helm("lint", CHART, "--strict", "-f", join(CHART, "ci", `${values}-values.yaml`));
    expect([status, stdout.match(/\[(WARNING|ERROR)\].*/g)]).toEqual([0, null]);
  });

  test.each(VALUES)(
    "with the values %s makes settings that a process takes, and targets that can work",
    async (values) => {
      const manifests = render(values);
      const maps = manifests.filter(({ kind, data }) => kind === "ConfigMap" && data?.["config.yaml"] !== undefined);
      expect(maps.length).toBeGreaterThan(0);
      for (const { metadata, data } of maps) {
        const file = join(dir, `${values}-${basename(metadata.name)}.yaml`);
        writeFileSync(file, data?.["config.yaml"] ?? "");
        const { code, stderr } = await runCommandLine(["config", "effective", "--config", file]);
        expect([code, stderr]).toEqual([0, ""]);
      }
    },
  );

  test.each(VALUES)("with the values %s runs nothing as root, and gives everything bounds", (values) => {
    const pods = render(values).flatMap(({ spec }) => spec?.template?.spec ?? []);
    expect(pods.length).toBeGreaterThan(0);
    for (const { securityContext, containers } of pods) {
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      for (const container of containers) {
        const { args = [], securityContext: own, resources } = container;
        expect(own).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } });
        // Databases write where their images say.
        if (args.includes("/etc/sightline/config.yaml")) expect(own).toMatchObject({ readOnlyRootFilesystem: true });
        expect(resources).toMatchObject({ limits: { memory: expect.any(String) } });
      }
    }
  });

  test.each(VALUES)("with the values %s has pods behind every service", (values) => {
    const manifests = render(values);
    const pods = manifests.flatMap(({ spec }) => (spec?.template ? [spec.template.metadata.labels] : []));
    for (const { spec, metadata } of manifests.filter(({ kind }) => kind === "Service")) {
      const selected = pods.filter((labels) =>
        Object.entries(spec?.selector ?? {}).every(([name, value]) => labels[name] === value),
      );
      expect([metadata.name, selected.length]).toEqual([metadata.name, 1]);
    }
  });

  test.each([
    [["--set", "mode=cluster"], "needs databases.postgres.host"],
    [["--set", "mode=cluster,databases.postgres.host=db"], "databases.postgres.existingSecret"],
    [["--set", "mode=both"], "mode"],
    [["--set", "colector.replicas=3"], "colector"],
  ])("refuses %j with a reason", (args, reason) => {
    const { status, stderr } = helm("template", "rel", CHART, "--kube-version", "1.31.0", ...args);
    expect([status === 0, stderr]).toEqual([false, expect.stringContaining(reason)]);
  });
});
