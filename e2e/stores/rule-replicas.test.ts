import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "../harness/ask.ts";
import { eventually } from "../harness/eventually.ts";
import { patientMs } from "../harness/patience.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { PostgresService } from "../services/postgres.ts";
import { RedisService } from "../services/redis.ts";
import { postgresSettings, redisSettings } from "./server-settings.ts";

type Group = {
  readonly name: string;
  readonly lastEvaluation: string;
  readonly rules: readonly { readonly health: string; readonly alerts?: readonly { readonly state: string }[] }[];
};
type Told = { readonly labels: { readonly alertname: string }; readonly startsAt: string };

const GROUPS = 20;
/** Of a lease: an interval of a second, and 15 seconds. */
const HANDOVER_MS = 20_000;
const missing = PostgresService.missing() ?? RedisService.missing();

describe.skipIf(missing !== undefined)("two processes with the same rules", () => {
  const dir = mkdtempSync(join(tmpdir(), "sightline-e2e-replicas-"));
  const told: Told[] = [];
  const servers: ServerProcess[] = [];
  let receiver: Server;
  let postgres: PostgresService;
  let redis: RedisService;

  beforeAll(async () => {
    [postgres, redis] = await Promise.all([PostgresService.start(), RedisService.start()]);
    receiver = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      told.push(...(JSON.parse(Buffer.concat(chunks).toString()) as Told[]));
      response.end();
    });
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    const { port } = receiver.address() as AddressInfo;
    const groups = Array.from(
      { length: GROUPS },
      (_, i) => `- {name: g${i}, interval: 1s, rules: [{alert: A${i}, expr: vector(1), for: 2s}]}`,
    );
    writeFileSync(join(dir, "rules.yml"), `groups:\n${groups.join("\n")}\n`);
    const rules = {
      files: [join(dir, "rules.yml")],
      resend_delay_ms: 1_000,
      alertmanagers: [{ url: `http://127.0.0.1:${port}` }],
    };
    const settings = join(dir, "settings.yaml");
    writeFileSync(settings, JSON.stringify({ alerting: { rules }, self_telemetry: { enabled: false } }));
    const env = { ...postgresSettings(postgres), ...redisSettings(redis.address) };
    for (let i = 0; i < 2; i++) servers.push(await ServerProcess.start({ env, args: ["--config", settings] }));
  }, patientMs(180_000));

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.dispose()));
    receiver?.close();
    await Promise.all([postgres?.dispose(), redis?.dispose()]);
    rmSync(dir, { recursive: true });
  });

  const groupsOf = async (server: ServerProcess): Promise<readonly Group[]> =>
    (await new Ask(server.url).get<{ data: { groups: Group[] } }>("/api/v1/rules")).data.groups;
  /** How often each group was evaluated. */
  const evaluations = async ({ url }: ServerProcess): Promise<ReadonlyMap<string, number>> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const lines = text.matchAll(/^prometheus_rule_evaluations_total\{rule_group="[^"]*;(g\d+)"\} (\d+)$/gm);
    return new Map(Array.from(lines, ([, group, count]) => [group as string, Number(count)]));
  };
  const shows = async (server: ServerProcess, sinceMs: number) => {
    const groups = await groupsOf(server);
    expect(groups.length).toBe(GROUPS);
    for (const { rules, lastEvaluation } of groups) {
      expect(rules).toMatchObject([{ health: "ok", alerts: [{ state: "firing" }] }]);
      expect(Date.parse(lastEvaluation)).toBeGreaterThan(sinceMs);
    }
  };

  test("share them out, show all of them, and when one dies the other goes on with its", {
    timeout: patientMs(180_000),
  }, async () => {
    const [one, other] = servers as [ServerProcess, ServerProcess];
    for (const server of [one, other]) await eventually(() => shows(server, 0), patientMs(60_000));
    // Which group is whose is settled once no group was evaluated by both for a while.
    await eventually(async () => {
      const before = await Promise.all([one, other].map(evaluations));
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const after = await Promise.all([one, other].map(evaluations));
      const evaluated = after.map((counts, i) =>
        [...counts].filter(([group, count]) => count > (before[i]?.get(group) ?? 0)).map(([group]) => group),
      );
      expect(evaluated.flat().sort()).toEqual(Array.from({ length: GROUPS }, (_, i) => `g${i}`).sort());
      expect(evaluated.every((groups) => groups.length > 0)).toBe(true);
    }, patientMs(60_000));
    const killedAt = Date.now();
    await other.kill();
    await eventually(() => shows(one, killedAt), patientMs(HANDOVER_MS));
    // Nobody was told that an alert began anew.
    for (const about of Map.groupBy(told, ({ labels }) => labels.alertname).values()) {
      expect(new Set(about.map(({ startsAt }) => startsAt)).size).toBe(1);
    }
  });
});
