import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { afterAll, expect, test } from "vitest";
import { alertmanagerSettings } from "../settings.ts";
import type { Decision } from "./decision.ts";
import { DecisionHistory } from "./decision-history.ts";

const dir = mkdtempSync(join(tmpdir(), "sightline-history-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const make = (name: string, history = {}) =>
  new DecisionHistory({
    dir: join(dir, name),
    settings: alertmanagerSettings.parse({ history }).history,
    logger: SILENT_LOGGER,
    registry: new Registry(),
  });
const decision = (atMs: number, kind: Decision["kind"], about: Partial<Decision> = {}): Decision => ({
  atMs,
  kind,
  detail: { n: atMs },
  ...about,
});
const kinds = (decisions: readonly Decision[]) => decisions.map(({ atMs, kind }) => `${atMs} ${kind}`);

test("an alert has its own decisions and those of its groups from when it came into them, newest first", async () => {
  const history = make("groups");
  await history.start();
  const record = (one: Decision) => history.record(DEFAULT_TENANT, one);
  record(decision(1, "notified", { groupKey: "g" }));
  record(decision(2, "firing", { fingerprint: "f" }));
  record(decision(3, "grouped", { fingerprint: "f", groupKey: "g" }));
  record(decision(4, "attempt", { groupKey: "g", receiver: "r", integration: "webhook[0]" }));
  record(decision(5, "silenced", { fingerprint: "other", groupKey: "g" }));
  record(decision(6, "notified", { groupKey: "another" }));
  history.record(tenantId("b"), decision(7, "firing", { fingerprint: "f" }));
  expect(kinds(history.history(DEFAULT_TENANT, "f", 0, 10))).toEqual(["4 attempt", "3 grouped", "2 firing"]);
  expect(kinds(history.history(DEFAULT_TENANT, "f", 3, 1))).toEqual(["4 attempt"]);
  expect(history.history(DEFAULT_TENANT, "f", 0, 10)[0]).toEqual(
    decision(4, "attempt", { groupKey: "g", receiver: "r", integration: "webhook[0]", fingerprint: undefined }),
  );
  await history.stop();
});

test("what was recorded is there after a restart; what there is no room for is dropped", async () => {
  const first = make("restart", { max_queued: 2 });
  await first.start();
  for (const atMs of [1, 2, 3]) first.record(DEFAULT_TENANT, decision(atMs, "firing", { fingerprint: "f" }));
  await first.stop();
  const second = make("restart");
  await second.start();
  expect(kinds(second.history(DEFAULT_TENANT, "f", 0, 10))).toEqual(["2 firing", "1 firing"]);
  await second.stop();
});

test("a damaged file is put aside, and the history begins anew", async () => {
  mkdirSync(join(dir, "damaged"));
  writeFileSync(join(dir, "damaged", "history.db"), "no database ".repeat(1_000));
  const history = make("damaged");
  await history.start();
  history.record(DEFAULT_TENANT, decision(1, "firing", { fingerprint: "f" }));
  expect(kinds(history.history(DEFAULT_TENANT, "f", 0, 10))).toEqual(["1 firing"]);
  await history.stop();
  expect(readdirSync(join(dir, "damaged")).filter((name) => name.includes("damaged-"))).toHaveLength(1);
});

test("a file that can't be opened is named, with what to do", async () => {
  mkdirSync(join(dir, "directory", "history.db"), { recursive: true });
  await expect(make("directory").start()).rejects.toThrow(/could not open .*history\.db .*free space there or move/);
});
