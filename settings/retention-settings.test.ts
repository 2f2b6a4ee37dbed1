import { describe, expect, test } from "vitest";
import { z } from "zod";
import { metricAging } from "./retention-settings.ts";

const schema = z.strictObject(metricAging);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

test("nothing ages where nothing is said", () =>
  expect(schema.parse({})).toEqual({ retention_rules: [], downsampling: [] }));

test("rules become matchers and milliseconds", () =>
  expect(schema.parse({ retention_rules: [{ selector: 'debug{env="dev"}', keep: "1d" }] }).retention_rules).toEqual([
    {
      selector: [
        { name: "__name__", op: "=", value: "debug" },
        { name: "env", op: "=", value: "dev" },
      ],
      keep: 24 * HOUR_MS,
    },
  ]));

test("tiers come out in order of age", () => {
  const downsampling = [
    { resolution: "1h", after: "30d" },
    { resolution: "5m", after: "1d" },
  ];
  expect(schema.parse({ downsampling }).downsampling).toEqual([
    { resolutionMs: 5 * MINUTE_MS, afterMs: 24 * HOUR_MS },
    { resolutionMs: HOUR_MS, afterMs: 30 * 24 * HOUR_MS },
  ]);
});

describe("mistakes say what is wrong and where", () => {
  test.each([
    [{ retention_rules: [{ selector: "a", keep: "soon" }] }, "retention_rules.0.keep", /"soon" is not a duration/],
    [{ retention_rules: [{ selector: "{", keep: "1d" }] }, "retention_rules.0.selector", /./],
    [{ downsampling: [{ resolution: "7m", after: "1d" }] }, "downsampling", /each resolution must divide a day/],
  ])("%j", (given, path, message) => {
    const [issue] = schema.safeParse(given).error?.issues ?? [];
    expect(issue?.path.join(".")).toBe(path);
    expect(issue?.message).toMatch(message);
  });
});
