import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Notification, Notifier, NotifyResult } from "../notify/notifier.ts";
import { Alertmanager } from "./alertmanager.ts";
import { AlertmanagerMetrics } from "./alertmanager-metrics.ts";
import { labelMap } from "./labels.ts";
import { MatcherSyntax } from "./matchers/matcher-syntax.ts";
import { Slots } from "./pipeline/slots.ts";
import type { BuiltReceivers } from "./receiver-builder.ts";

const CONFIG =
  "route: {receiver: a, group_wait: 0s, group_interval: 10ms, repeat_interval: 1h}\nreceivers: [{name: a}]\n";
const DAY_MS = 86_400_000;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sightline-alertmanager-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

type Notify = (notification: Notification, signal: AbortSignal) => Promise<NotifyResult>;

async function start(notify: Notify, close = async () => {}): Promise<Alertmanager> {
  const notifier: Notifier = { kind: "webhook", sendsResolved: true, notify, close };
  const built: BuiltReceivers = {
    integrations: new Map([["a", [{ receiver: "a", name: "webhook[0]", notifier }]]]),
    routeLabels: () => labelMap([]),
  };
  const alertmanager = new Alertmanager({
    dir,
    syntax: new MatcherSyntax("fallback"),
    limits: {
      maxAlerts: 100,
      maxGroups: 100,
      maxSilences: 100,
      maxSilenceBytes: 10_000,
      retentionMs: DAY_MS,
      dispatchDelayMs: 0,
    },
    receivers: { keys: new Set(), kinds: ["webhook"], build: async () => built },
    replicas: { settled: async () => {}, waitMs: () => 0 },
    feed: { silence: () => {}, notification: () => {}, alerts: () => {} },
    slots: new Slots(10),
    metrics: new AlertmanagerMetrics(new Registry()),
    decisions: { record: () => {} },
    logger: SILENT_LOGGER,
  });
  await alertmanager.start();
  await alertmanager.load(CONFIG, { dir });
  return alertmanager;
}

/** What is waited for comes at once on a machine that does nothing else. */
const LONG = { timeout: 60_000 };
const DONE: NotifyResult = { ok: true, detail: "" };
const alert = (name: string) => ({ labels: { alertname: name }, annotations: {}, generatorUrl: "" });

test("what an integration keeps about a group outlives the process, and ends with the group's alerts", async () => {
  const seen: (string | undefined)[] = [];
  const notify: Notify = async ({ memory }) => {
    seen.push(memory.get("message"));
    memory.set("message", `${seen.length}`);
    return DONE;
  };
  const first = await start(notify);
  await first.post([alert("x")]);
  await vi.waitFor(() => expect(first.log.entries).toHaveLength(1), LONG);
  await first.stop();
  const second = await start(notify);
  await second.post([alert("y")]);
  await vi.waitFor(() => expect(seen).toEqual([undefined, "1"]), LONG);
  await vi.waitFor(() => expect(second.log.entries[0]?.memory).toEqual({ message: "2" }), LONG);
  await second.post(["x", "y"].map((name) => ({ ...alert(name), startsAtMs: 1, endsAtMs: Date.now() })));
  await vi.waitFor(() => expect(second.log.entries[0]?.memory).toEqual({ message: "3" }), LONG);
  await second.post([alert("z")]);
  await vi.waitFor(() => expect(seen).toEqual([undefined, "1", "2", undefined]), LONG);
  await second.stop();
});

test("when another configuration is read, what is being sent ends first, and then connections are given up", async () => {
  const events: string[] = [];
  const notify: Notify = (_, signal) =>
    new Promise((_resolve, reject) => {
      events.push("sending");
      signal.addEventListener("abort", () => {
        events.push("ended");
        reject(signal.reason);
      });
    });
  const alertmanager = await start(notify, async () => void events.push("closed"));
  await alertmanager.post([alert("x")]);
  await vi.waitFor(() => expect(events).toEqual(["sending"]), LONG);
  await alertmanager.load(CONFIG, { dir });
  await vi.waitFor(() => expect(events.slice(0, 3)).toEqual(["sending", "ended", "closed"]), LONG);
  await alertmanager.stop();
  expect(events.at(-1)).toBe("closed");
});
