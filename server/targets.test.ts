import { loadConfig } from "@sightline/config/load.ts";
import { expect, test } from "vitest";
import { assertTargetsWork, targetsOf } from "./targets.ts";

const REMOTE = {
  "storage.metrics.kind": "timescale",
  "storage.logs.kind": "opensearch",
  "storage.traces.kind": "opensearch",
};

function configOf(flags: Readonly<Record<string, string>>) {
  return loadConfig({ file: undefined, env: {}, flags });
}

test.each([
  ["all", { collector: true, query: true, alerting: true }],
  ["collector", { collector: true, query: false, alerting: false }],
  ["query,alerting", { collector: false, query: true, alerting: true }],
  ["collector,query", { collector: true, query: true, alerting: false }],
  ["query,all", { collector: true, query: true, alerting: true }],
])("target %s", (target, want) => {
  expect(targetsOf(configOf({ target }))).toEqual(want);
});

test.each(["", "store", "query,", "collector query", "all,store"])("%j is no target", (target) => {
  expect(() => configOf({ target })).toThrow("target: write all, or some of collector, query and alerting");
});

test.each([
  [{ target: "all" }],
  [{ target: "collector,query" }],
  [{ target: "collector", ...REMOTE }],
  [{ target: "query", ...REMOTE, "catalog.kind": "postgres" }],
  [{ target: "collector", ...REMOTE, "catalog.kind": "postgres", "auth.mode": "keys" }],
])("%j can work", (flags) => {
  assertTargetsWork(configOf(flags));
});

test.each([
  [
    { target: "query", "catalog.kind": "postgres" },
    ["storage.metrics.kind is embedded", "storage.logs.kind is embedded", "files of another process can't be read"],
  ],
  [{ target: "query", ...REMOTE }, ["catalog.kind is sqlite", "set it to postgres"]],
  [{ target: "alerting", ...REMOTE }, ["catalog.kind is sqlite"]],
  [{ target: "collector", ...REMOTE, "auth.mode": "keys" }, ["catalog.kind is sqlite"]],
  [
    { target: "collector", ...REMOTE, "storage.logs.kind": "embedded" },
    [
      "storage.logs.kind is embedded, and what is kept in files of this process no other one could query: set it to opensearch",
    ],
  ],
  [{ target: "alerting", ...REMOTE, "storage.metrics.kind": "embedded" }, ["storage.metrics.kind is embedded"]],
])("%j can't, and the message names the settings", (flags, parts) => {
  for (const part of parts) expect(() => assertTargetsWork(configOf(flags))).toThrow(part);
});
