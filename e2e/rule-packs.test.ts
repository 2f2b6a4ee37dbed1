import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { eventually } from "./harness/eventually.ts";
import { patientMs } from "./harness/patience.ts";
import { remoteWrite } from "./harness/remote-write.ts";
import { ServerProcess } from "./harness/server-process.ts";

type Alerts = { readonly data: { readonly alerts: readonly { readonly labels: object; readonly state: string }[] } };
type Rules = {
  readonly data: { readonly groups: readonly { readonly file: string; readonly rules: readonly object[] }[] };
};

const MINUTE_MS = 60_000;
const dir = mkdtempSync(join(tmpdir(), "sightline-e2e-packs-"));
const settings = join(dir, "settings.yaml");
let server: ServerProcess;

beforeAll(async () => {
  const rules = { packs: ["essentials", "events"], tenant_packs: { system: ["sightline"] }, interval_ms: 1_000 };
  writeFileSync(settings, JSON.stringify({ alerting: { rules } }));
  server = await ServerProcess.start({ args: ["--config", settings] });
}, patientMs(60_000));
afterAll(async () => {
  await server.dispose();
  rmSync(dir, { recursive: true });
});

async function filesOf(tenant: string): Promise<readonly string[]> {
  const { data } = await new Ask(server.url, tenant).get<Rules>("/api/v1/rules");
  return data.groups.map(({ file }) => file).sort();
}

test("packs are rules of the tenants that want them", async () => {
  expect(await filesOf("default")).toEqual(["pack/essentials", "pack/events"]);
  expect(await filesOf("system")).toEqual(["pack/sightline"]);
});

test("their alerts fire over metrics and logs that come", { timeout: patientMs(60_000) }, async () => {
  const now = Date.now();
  const target = (version: string, timeMs: number) => ({
    labels: [
      ["__name__", "target_info"],
      ["job", "web"],
      ["service_version", version],
    ] as const,
    samples: [{ timeMs, value: 1 }],
  });
  const targets = [target("1", now - 30 * MINUTE_MS), target("2", now)];
  const written = await remoteWrite(server.url, 1, targets);
  expect(written.status).toBe(204);
  const line = [`${now}000000`, "alice : user NOT in sudoers ; COMMAND=/bin/sh"];
  const pushed = await fetch(`${server.url}/loki/api/v1/push`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ streams: [{ stream: { service_name: "host" }, values: [line] }] }),
  });
  expect(pushed.status).toBe(204);
  await eventually(async () => {
    const { data } = await new Ask(server.url).get<Alerts>("/api/v1/alerts");
    expect(data.alerts.map(({ labels, state }) => ({ ...labels, state }))).toEqual(
      expect.arrayContaining([
        { alertname: "VersionDeployed", job: "web", service_version: "2", severity: "info", state: "firing" },
        { alertname: "SecurityEvent", service_name: "host", severity: "critical", state: "firing" },
      ]),
    );
  }, 30_000);
});
