import { expect, test } from "vitest";
import { parseOptions, UsageError } from "./options.ts";

test("defaults run live against the usual port", () => {
  expect(parseOptions([])).toEqual({
    endpoint: "http://127.0.0.1:4318",
    rate: 5,
    failing: new Set(),
    backfillMs: 0,
    follow: true,
    durationMs: undefined,
    backfillTraces: 0.05,
    seed: 1,
  });
});

test("everything can be set", () => {
  const args = "--endpoint http://h:1/ --rate 0.5 --fail checkout --fail cart --backfill 24h --duration 90s --seed 9";
  expect(parseOptions([...args.split(" "), "--backfill-traces", "1"])).toEqual({
    endpoint: "http://h:1",
    rate: 0.5,
    failing: new Set(["checkout", "cart"]),
    backfillMs: 86_400_000,
    follow: false,
    durationMs: 90_000,
    backfillTraces: 1,
    seed: 9,
  });
});

test("a history can go on live", () => {
  expect(parseOptions(["--backfill", "1h", "--follow"])?.follow).toBe(true);
});

test.each([["--help"], ["-h"]])("%s asks for help", (flag) => {
  expect(parseOptions([flag])).toBeUndefined();
});

test.each([
  [["--endpoint", "localhost:4318"], "--endpoint localhost:4318 is not a URL"],
  [["--rate", "fast"], "--rate fast"],
  [["--rate", ""], "a number between"],
  [["--rate=-1"], "a number between"],
  [["--backfill", "24"], "a duration like"],
  [["--backfill", "9999d"], "at most 366d"],
  [["--duration", "0s"], "a duration like"],
  [["--fail", "billing"], "there is no such service; there are frontend"],
  [["--colour"], "--colour"],
  [["checkout"], "checkout"],
])("%j is refused with a way out", (args, message) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow(message);
});
