import { describe, expect, test } from "vitest";
import { collectorConfig } from "./config.ts";

test("nothing at all is a valid configuration", () => {
  const config = collectorConfig.parse(undefined);
  expect(config.limits.max_request_bytes).toBe(32 * 1024 * 1024);
  expect(config.wal.max_bytes).toBeGreaterThan(2 * config.wal.segment_bytes);
});

test.each([
  [{ wal: { max_bytes: "1GiB" } }, 1024 ** 3],
  [{ wal: { max_bytes: 200_000_000 } }, 200_000_000],
])("sizes are numbers or text: %j", (input, bytes) => {
  expect(collectorConfig.parse(input).wal.max_bytes).toBe(bytes);
});

describe("what can't work is refused with the key and the reason", () => {
  test.each([
    [{ wal: { max_bytes: "a lot" } }, /not a size/, "wal.max_bytes"],
    [{ wal: { segment_bytes: "1KiB" } }, /65536/, "wal.segment_bytes"],
    [{ wal: { segment_bytes: "1GiB", max_bytes: "1GiB" } }, /at least twice/, "wal.max_bytes"],
    [{ limits: { max_in_flight_bytes: 1 } }, /max_request_bytes/, "limits.max_in_flight_bytes"],
    [{ otlp: { translation_strategy: "Whatever" } }, /NoTranslation/, "otlp.translation_strategy"],
    [{ walk: {} }, /walk/, ""],
  ])("%j", (input, message, path) => {
    const issue = collectorConfig.safeParse(input).error?.issues[0];
    expect(issue?.message).toMatch(message);
    expect(issue?.path.join(".")).toBe(path);
  });
});
