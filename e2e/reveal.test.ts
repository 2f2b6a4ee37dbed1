import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { runCommandLine, ServerProcess } from "./harness/server-process.ts";

const dataDir = mkdtempSync(join(tmpdir(), "sightline-reveal-"));
const keyFile = join(dataDir, "sealing.keys");
const overrides = join(dataDir, "tenants.yaml");
const tokens: Record<string, string> = {};
let server: ServerProcess;

beforeAll(async () => {
  writeFileSync(keyFile, `k1:${randomBytes(32).toString("base64")}\n`);
  writeFileSync(
    overrides,
    "shop: { processors: { logs: [ { kind: redact, patterns: [ { find: email, action: encrypt } ] } ] } }\n",
  );
  for (const [name, tenant, scope] of [
    ["app", "shop", "ingest,read"],
    ["officer", "shop", "reveal"],
    ["rival", "rival", "reveal"],
  ]) {
    const words = ["keys", "create", "--data-dir", dataDir, "--tenant", `${tenant}`, "--scope", `${scope}`];
    tokens[`${name}`] = (await runCommandLine(words)).stdout.trim();
  }
  server = await ServerProcess.start({
    dataDir,
    env: {
      SIGHTLINE_AUTH__MODE: "keys",
      SIGHTLINE_SEALING_KEY_FILE: keyFile,
      SIGHTLINE_COLLECTOR__OVERRIDES_FILE: overrides,
    },
  });
});
afterAll(async () => {
  await server.dispose();
  rmSync(dataDir, { recursive: true, force: true });
});

async function post(path: string, who: string, body: unknown): Promise<{ status: number; json: unknown }> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${tokens[who]}` };
  const answer = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, json: await answer.json() };
}

async function storedLine(): Promise<string> {
  const timeUnixNano = `${BigInt(Date.now()) * 1_000_000n}`;
  const logRecords = [{ timeUnixNano, body: { stringValue: "login of ann@example.com failed" } }];
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "web" } }] };
  await post("/v1/logs", "app", { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
  const query = encodeURIComponent('{service_name="web"}');
  const answer = await fetch(`${server.url}/loki/api/v1/query_range?query=${query}`, {
    headers: { authorization: `Bearer ${tokens.app}` },
  });
  const { data } = (await answer.json()) as { data: { result: { values: [string, string][] }[] } };
  return data.result[0]?.values[0]?.[1] ?? "";
}

describe("personal data that a processor encrypted", () => {
  test("are read by whom has the scope reveal for their tenant, and by nobody else", async () => {
    const line = await storedLine();
    expect(line).toMatch(/^login of sealed:k1:[\w-]+ failed$/);
    const ask = (who: string) => post("/api/v1/reveal", who, { texts: [line, "nothing secret"] });
    expect(await ask("officer")).toEqual({
      status: 200,
      json: { status: "success", data: { texts: ["login of ann@example.com failed", "nothing secret"] } },
    });
    expect((await ask("app")).status).toBe(403);
    expect(await ask("rival")).toMatchObject({
      status: 400,
      json: { error: expect.stringContaining("another tenant") },
    });
    await eventually(async () => expect(server.stderr).toContain("encrypted personal data were revealed"));
    expect(server.stderr).not.toContain("ann@example.com");
  });

  test.each([
    [{ texts: "x" }, "expected array"],
    [{}, "expected array"],
    [["x"], "expected object"],
  ])("a body of another shape is a clear error: %j", async (body, message) => {
    expect(await post("/api/v1/reveal", "officer", body)).toMatchObject({
      status: 400,
      json: { errorType: "bad_data", error: expect.stringContaining(message) },
    });
  });
});
