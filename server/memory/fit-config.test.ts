import { loadConfig } from "@sightline/config/load.ts";
import { expect, test } from "vitest";
import { fitConfig } from "./fit-config.ts";

const config = loadConfig({ file: undefined, env: {}, flags: {} });

test("the defaults fit into 12 GiB", () => {
  expect(fitConfig(config, 12 * 2 ** 30)).toEqual({ config, lowered: [] });
});

test("in 1 GiB sizes are lowered, and nothing else", () => {
  const { config: fitted, lowered } = fitConfig(config, 2 ** 30);
  expect(fitted.collector.limits.max_in_flight_bytes).toBe(Math.floor(0.1 * 2 ** 30));
  expect(fitted.storage.logs.duckdb.memory).toBe(Math.floor(0.2 * 2 ** 30));
  expect(lowered.map(({ key }) => key)).toContain("storage.metrics.cache");
  expect(fitted.storage.metrics.retention).toBe(config.storage.metrics.retention);
  expect(config.collector.limits.max_in_flight_bytes).toBe(256 * 2 ** 20);
});

test("a request that may be sent can be held", () => {
  for (const mib of [256, 512, 1024, 4096]) {
    const { limits } = fitConfig(config, mib * 2 ** 20).config.collector;
    expect(limits.max_in_flight_bytes).toBeGreaterThan(limits.max_request_bytes);
  }
});
