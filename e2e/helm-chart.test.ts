import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCommandLine } from "./harness/server-process.ts";
import {
  CHART,
  helm,
  helmMissing,
  type Manifest,
  renderChart,
  schemaErrors,
  schemasMissing,
  templateChart,
} from "./services/chart-tools.ts";

const VALUES = ["single", "cluster", "trial"] as const;
/** The oldest that the chart is for, one in between and the newest that there are schemas of. */
const KUBERNETES_VERSIONS = ["1.25.0", "1.31.0", "1.37.0"];
/** Of others: Kubernetes has no schemas of them. */
const CUSTOM = /kind (HTTPRoute|ServiceMonitor) /;

const valuesFile = (values: string) => join(CHART, "ci", `${values}-values.yaml`);
const render = (values: string): Manifest[] => renderChart("-f", valuesFile(values));

const missing = helmMissing();
const noSchemas = missing ?? schemasMissing();
if (noSchemas !== undefined)
  process.stderr.write(`skipped: ${missing ? "" : "schemas of "}the Helm chart: ${noSchemas}\n`);

describe.skipIf(missing !== undefined)("the Helm chart", () => {
  const dir = mkdtempSync(join(tmpdir(), "sightline-chart-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test.each(VALUES)("is well made with the values %s", (values) => {
    const { status, stdout } = helm("lint", CHART, "--strict", "-f", valuesFile(values));
    expect([status, stdout.match(/\[(WARNING|ERROR)\].*/g)]).toEqual([0, null]);
  });

  const versioned = VALUES.flatMap((values) => KUBERNETES_VERSIONS.map((version) => [values, version] as const));
  test.skipIf(noSchemas !== undefined).each(versioned)(
    "with the values %s makes what Kubernetes %s has schemas for, field by field",
    (values, version) => {
      const file = join(dir, `${values}-${version}.yaml`);
      writeFileSync(file, templateChart("-f", valuesFile(values)));
      expect(schemaErrors(file, version).filter((line) => !CUSTOM.test(line))).toEqual([]);
      // An unknown field is found: what was just said is worth something.
      writeFileSync(
        file,
        templateChart("-f", valuesFile(values)).replaceAll("terminationGracePeriodSeconds", "gracePeriod"),
      );
      expect(schemaErrors(file, version).join()).toContain("gracePeriod");
    },
  );

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
