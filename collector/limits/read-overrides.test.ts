import { describe, expect, test } from "vitest";
import { collectorConfig } from "../config.ts";
import { parseOverrides } from "./parse-overrides.ts";
import { readOverrides } from "./read-overrides.ts";

const { tenants: defaults } = collectorConfig.parse({});
const manyTenants = Array.from({ length: 120 }, (_, i) => `t${i}: {limits: {metrics: {max_active_series: ${i + 1}}}}`);

describe("overrides that are read on another thread", () => {
  test.each([
    ["nothing", ""],
    ["one tenant", "ada: {limits: {logs: {max_body_length: 3}}}"],
    ["more than a message takes", manyTenants.join("\n")],
    [
      "processors",
      "ada: {processors: {metrics: [{kind: relabel, rules: [{action: keep, source_labels: [x], regex: a.*}]}]}}",
    ],
  ])("are what this one reads: %s", async (_, text) => {
    expect(await readOverrides(text, defaults, "o.yaml")).toEqual(parseOverrides(text, defaults, "o.yaml"));
  });

  test.each([
    ["a list", "- a", /^o\.yaml: must be a map/],
    ["a key of its own twice", "ada: {}\nbob: {}\nada: {}", /^o\.yaml: the key ada comes twice at line 3, column 1$/],
    ["a key below twice", "ada:\n  limits: {}\n  limits: {}", /the key limits comes twice at line 3, column 3$/],
    ["broken YAML", "ada: {", /^o\.yaml: .* at line 1, column 7$/],
    ["an alias without its anchor", "ada: *nowhere", /nowhere/],
    ["an unknown key", "ada: {limit: {}}", /^o\.yaml:\n {2}ada: .*limit/],
  ])("are refused in the same words: %s", async (_, text, message) => {
    expect(() => parseOverrides(text, defaults, "o.yaml")).toThrow(message);
    const refused = { name: "InvalidInputError", message: expect.stringMatching(message) };
    await expect(readOverrides(text, defaults, "o.yaml")).rejects.toMatchObject(refused);
  });
});
