import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { DependencyMonitor } from "./dependency-monitor.ts";

function monitorOf(ping: () => Promise<void>) {
  const registry = new Registry();
  let nowMs = 1_000;
  const monitor = new DependencyMonitor({
    dependencies: [{ name: "Store host:1", purpose: "metrics", ping }],
    logger: SILENT_LOGGER,
    registry,
    timeoutMs: 20,
    nowMs: () => nowMs++,
  });
  return { monitor, registry, status: () => monitor.statuses[0] };
}

test("nothing is said of who has not been asked", () => {
  expect(monitorOf(async () => {}).status()).toEqual({
    name: "Store host:1",
    purpose: "metrics",
    state: "unknown",
    sinceMs: 1_000,
  });
});

test("the state has the moment of its beginning, and what is wrong while something is", async () => {
  let error: Error | undefined;
  const { monitor, registry, status } = monitorOf(async () => {
    if (error) throw error;
  });
  await monitor.look();
  const up = status();
  expect(up).toMatchObject({ state: "up" });
  await monitor.look();
  expect(status()?.sinceMs).toBe(up?.sinceMs);
  error = new Error("gone");
  await monitor.look();
  expect(status()).toMatchObject({ state: "down", error: "gone" });
  expect(status()?.sinceMs).toBeGreaterThan(up?.sinceMs ?? 0);
  expect(await registry.metrics()).toContain('sightline_dependency_up{dependency="Store host:1",purpose="metrics"} 0');
  error = undefined;
  await monitor.look();
  expect(status()).toMatchObject({ state: "up" });
  expect(status()).not.toHaveProperty("error");
});

test("who never answers is down, and is not asked again meanwhile", async () => {
  let pings = 0;
  const { monitor, status } = monitorOf(() => {
    pings++;
    return new Promise(() => {});
  });
  await monitor.look();
  await monitor.look();
  expect(status()).toMatchObject({ state: "down", error: "no answer within 20 ms" });
  expect(pings).toBe(1);
});
