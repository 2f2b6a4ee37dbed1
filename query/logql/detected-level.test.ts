import { logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { expect, test } from "vitest";
import { LevelDetector } from "./detected-level.ts";

function detect(
  body: string,
  severity = 0,
  stream: [string, string][] = [],
  metadata: [string, string][] = [],
): string {
  return new LevelDetector().detect(logBatchOf([{ timeNs: 1n, body, severity }]), 0, stream, metadata);
}

test.each([
  ["2026 ERROR could not connect", "error"],
  ["debug: starting", "debug"],
  ["[warn] disk", "warn"],
  ["misc:error is a name", "unknown"],
  ["terror and information", "unknown"],
  ["info before error", "info"],
  ["CRITICAL!", "critical"],
  ["level=WARNING msg=error", "warn"],
  ["msg=error lvl=dbg", "debug"],
  ['{"a":{"Severity":"Fatal"},"level2":"info"}', "fatal"],
  ['{"a":{"b":{"level":"error"}}}', "error"],
  ['{"level":"strange","msg":"no word"}', "unknown"],
  ["nothing", "unknown"],
])("the level of %j is %s", (body, want) => expect(detect(body)).toBe(want));

test("labels say more than the severity number, and that more than the line", () => {
  expect(detect("error", 9, [["level", "WRN"]])).toBe("warn");
  expect(detect("error", 9, [], [["severity_text", "Own"]])).toBe("Own");
  expect(detect("error", 9)).toBe("info");
  expect(detect("error", 24)).toBe("fatal");
});
