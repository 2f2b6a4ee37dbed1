import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { renderDefaultYaml } from "./default-yaml.ts";
import { loadConfig } from "./load.ts";

const dir = mkdtempSync(join(tmpdir(), "sightline-config-"));
afterAll(() => rmSync(dir, { recursive: true }));

function load(yaml: string | undefined, env: Record<string, string> = {}, flags: Record<string, string> = {}) {
  const file = yaml === undefined ? undefined : join(dir, "sightline.yaml");
  if (file !== undefined && yaml !== undefined) writeFileSync(file, yaml);
  return loadConfig({ file, env, flags });
}

test("without a file everything has its default", () => {
  expect(load(undefined)).toMatchObject({ listen: "127.0.0.1:4319", target: "all", log: { level: "info" } });
});

describe("the later source wins", () => {
  test("a file over the default", () => expect(load("log: {level: warn}").log.level).toBe("warn"));
  test("a variable over the file", () =>
    expect(load("log: {level: warn}", { SIGHTLINE_LOG__LEVEL: "error" }).log.level).toBe("error"));
  test("a flag over the variable", () =>
    expect(load(undefined, { SIGHTLINE_LISTEN: "127.0.0.1:1" }, { listen: "127.0.0.1:2" }).listen).toBe("127.0.0.1:2"));
});

test("variables are read as YAML, addresses and paths as they are", () => {
  const config = load(undefined, { SIGHTLINE_SELF_TELEMETRY__ENABLED: "false", SIGHTLINE_DATA_DIR: "123" });
  expect(config.self_telemetry.enabled).toBe(false);
  expect(config.data_dir).toBe("123");
});

test("the file may refer to the environment", () => {
  expect(load("data_dir: ${DIR}/x", { DIR: "/srv" }).data_dir).toBe("/srv/x");
  expect(load("data_dir: ${DIR:-/var}/x").data_dir).toBe("/var/x");
  expect(() => load("data_dir: ${DIR}/x")).toThrow("${DIR} is not set");
});

describe("errors name the key, where it stands and the fix", () => {
  test.each([
    ["lisen: 127.0.0.1:1", /lisen: unknown key .*did you mean listen\?/],
    ["listen: nonsense", /listen: write HOST:PORT, for example 127\.0\.0\.1:4319.*sightline\.yaml/],
    ["log: {level: loud}", /log\.level: .*"debug"\|"info"/],
    ["log: {colour: red}", /log\.colour: unknown key .*known keys here: level, levels, format/],
    ["self_telemetry: {interval_ms: 5}", /self_telemetry\.interval_ms: .*>=1000/],
    ["- a list", /must be a YAML map/],
    ["log: {level: [", /sightline\.yaml: /],
  ])("%s", (yaml, want) => expect(() => load(yaml)).toThrow(want));

  test("of a variable by its name", () => {
    expect(() => load(undefined, { SIGHTLINE_LISTEN: "x" })).toThrow(/listen: .*\(SIGHTLINE_LISTEN\)/);
    expect(() => load(undefined, { SIGHTLINE_LISSEN: "x" })).toThrow(
      /lissen: unknown key \(SIGHTLINE_LISSEN\); did you mean listen\?/,
    );
  });
  test("of a flag by its name", () =>
    expect(() => load(undefined, {}, { data_dir: "" })).toThrow(/data_dir: .*\(--data-dir\)/));
  test("all of them at once", () => expect(() => load("lisen: 1\ntarget: some")).toThrow(/2 errors/));
  test("of an alias without its anchor, and of aliases that unfold into too much", () => {
    expect(() => load("log: *nothing")).toThrow(/sightline.yaml: .*nothing/);
    const steps = Array.from({ length: 9 }, (_, i) => `x${i + 1}: &x${i + 1} [${Array(9).fill(`*x${i}`)}]`);
    expect(() => load(["x0: &x0 [1]", ...steps].join("\n"))).toThrow(/sightline.yaml: .*alias/);
  });
  test("of a file that is not there", () =>
    expect(() => loadConfig({ file: join(dir, "absent"), env: {}, flags: {} })).toThrow(/--config .*absent: ENOENT/));
});

describe("default.yaml", () => {
  const path = new URL("default.yaml", import.meta.url);
  test("is what `config default` prints", () => expect(readFileSync(path, "utf8")).toBe(renderDefaultYaml()));
  test("says exactly the defaults", () => {
    writeFileSync(join(dir, "default.yaml"), readFileSync(path));
    expect(loadConfig({ file: join(dir, "default.yaml"), env: {}, flags: {} })).toEqual(load(undefined));
  });
  test("every key has a comment or is a section", () => {
    const lines = renderDefaultYaml().split("\n");
    const bare = lines.filter((line, i) => /^\s*\w+: \S/.test(line) && !/^\s*#/.test(lines[i - 1] ?? ""));
    expect(bare).toEqual([]);
    expect(parse(lines.join("\n"))).toHaveProperty("collector.wal");
  });
});
