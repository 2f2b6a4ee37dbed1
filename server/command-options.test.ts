import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { headersOf, timeMsOf } from "./command-options.ts";

const NOW_MS = 1_700_000_000_500;

test.each([
  ["now", NOW_MS],
  ["1h", NOW_MS - 3_600_000],
  ["1699999999.25", 1_699_999_999_250],
  ["2023-11-14T22:13:20Z", 1_700_000_000_000],
  ["2023-11-14", 1_699_920_000_000],
])("the time %s", (text, timeMs) => expect(timeMsOf("start", text, NOW_MS)).toBe(timeMs));

test.each(["yesterday", "2023-13-01", "-5m"])("%s is no time", (text) =>
  expect(() => timeMsOf("start", text, NOW_MS)).toThrow(`--start "${text}" is not a time`),
);

test("requests say the tenant, and the key of a file", () => {
  const dir = mkdtempSync(join(tmpdir(), "sightline-options-"));
  const path = join(dir, "key");
  writeFileSync(path, "slk_1\n");
  expect(headersOf({})).toEqual({});
  expect(headersOf({ tenant: "a", "key-file": path })).toEqual({ "x-scope-orgid": "a", authorization: "Bearer slk_1" });
  rmSync(dir, { recursive: true });
  expect(() => headersOf({ "key-file": path })).toThrow(`--key-file ${path}: ENOENT`);
});
