import { readFileSync } from "node:fs";
import { rulePackPath } from "@sightline/alerting/packs/rule-packs.ts";
import { EvaluationGate } from "@sightline/alerting/rules/evaluation-gate.ts";
import { parseRuleFile } from "@sightline/alerting/rules/parse-rule-file.ts";
import { RuleGroup } from "@sightline/alerting/rules/rule-group.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { engineOver } from "@sightline/query/logql/logql-test-store.ts";
import type { LogRow } from "@sightline/storage-conformance/log-batch-of.ts";
import { expect, test } from "vitest";
import { EngineRuleEvaluator } from "../alerting/engine-rule-evaluator.ts";
import { RuleTestStore } from "./rule-test-store.ts";

const MINUTE_NS = 60_000_000_000n;
const LAST_MINUTE = 80;

type Lines = {
  readonly line: string;
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly aMinute: number;
};

/** So many of the line in each of these minutes, at equal distances. */
function rowsOf({ line, fromMinute, toMinute, aMinute }: Lines): LogRow[] {
  const count = (toMinute - fromMinute) * aMinute;
  return Array.from({ length: count }, (_, i) => ({
    timeNs: BigInt(fromMinute) * MINUTE_NS + (BigInt(i) * MINUTE_NS) / BigInt(aMinute),
    body: line,
    labels: { service_name: "shop" },
  }));
}

/** Names of the alerts of the pack that fire after minute 80. */
async function firingOver(...lines: readonly Lines[]): Promise<readonly string[]> {
  const store = await RuleTestStore.open();
  try {
    const logql = await engineOver(lines.flatMap(rowsOf));
    const evaluator = new EngineRuleEvaluator({
      prom: { instant: () => Promise.reject(new Error("the pack asks for logs only")) },
      logql,
      metrics: { select: async function* () {} },
      maxQueryBytes: 100_000,
    });
    const [config] = parseRuleFile(readFileSync(rulePackPath("events"), "utf8"), { check: (e) => evaluator.check(e) });
    if (!config) throw new Error("the pack has no group");
    const group = new RuleGroup({ tenant: DEFAULT_TENANT, file: "pack/events", isRestored: true }, config, {
      evaluator,
      writer: store,
      notify() {},
      gate: new EvaluationGate(1),
      metrics: undefined,
      logger: SILENT_LOGGER,
      externalLabels: {},
      externalUrl: "",
      intervalMs: 60_000,
      queryOffsetMs: 0,
      resendDelayMs: 0,
      outageToleranceMs: 0,
      gracePeriodMs: 0,
    });
    for (let minute = LAST_MINUTE - 10; minute <= LAST_MINUTE; minute++) await group.evaluate(minute * 60_000);
    expect(group.rules.map(({ lastError }) => lastError).filter((error) => error !== "")).toEqual([]);
    return group.rules.flatMap(({ config: { name }, alerting }) =>
      [...(alerting?.alerts ?? [])].some(({ state }) => state === "firing") ? [name] : [],
    );
  } finally {
    await store.close();
  }
}

const lately = (line: string, aMinute: number): Lines => ({
  line,
  fromMinute: LAST_MINUTE - 10,
  toMinute: LAST_MINUTE,
  aMinute,
});
const allTheTime = (line: string, aMinute: number): Lines => ({ line, fromMinute: 0, toMinute: LAST_MINUTE, aMinute });

test.each([
  ["FailedLoginsSpike", "sshd: Failed password for root from 203.0.113.7", 10],
  ["SlowQueriesLogged", "LOG:  duration: 2345.678 ms  statement: SELECT 1", 3],
  ["SlowQueriesLogged", "# Query_time: 3.2  Lock_time: 0.0", 3],
  ["ErrorLogsSpike", "level=error msg=boom", 20],
  ["DeploymentLogged", "Scaled up replica set web-1 to 3 (ScalingReplicaSet)", 1],
  ["DeploymentLogged", "deployment of web 2.1 finished", 1],
  ["ConfigurationChanged", "configuration was reloaded", 1],
  ["SecurityEvent", "alice : user NOT in sudoers ; COMMAND=/bin/sh", 1],
])("%s fires on lines such as %s", async (name, line, aMinute) => {
  expect(await firingOver(lately(line, aMinute))).toEqual([name]);
});

test.each([
  ["no lines", []],
  ["other lines", [lately("GET /login 200 in 12 ms", 100)]],
  ["few failed logins", [lately("login failed", 1)]],
  ["as many failed logins as always", [allTheTime("login failed", 10)]],
  ["as many errors as always", [allTheTime("level=error msg=boom", 20)]],
  ["quick queries", [lately("LOG:  duration: 234.567 ms  statement: SELECT 1", 10)]],
  ["a configuration that is read", [lately("reading the configuration", 10)]],
])("nothing fires on %s", async (_, lines) => expect(await firingOver(...lines)).toEqual([]));
