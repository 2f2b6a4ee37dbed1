import { expect, test } from "vitest";
import { formatHumanBytes, parseHumanBytes } from "./go-bytes.ts";

test.each([
  ["5 MB", { bytes: 5e6 }],
  ["1.5KiB", { bytes: 1_536 }],
  ["1,000", { bytes: 1_000 }],
  ["7k", { bytes: 7_000 }],
  ["5 parsecs", { error: "unhandled size name: parsecs" }],
  ["x", { error: 'strconv.ParseFloat: parsing "": invalid syntax' }],
  ["17 EiB", { error: "too large: 17 EiB" }],
])("%j is a size of %j", (text, want) => expect(parseHumanBytes(text)).toEqual(want));

test.each([
  [5, "5B"],
  [999, "999B"],
  [1_500, "1.5kB"],
  [2_097_152, "2.1MB"],
  [12_345_678, "12MB"],
])("%d bytes are printed as %s", (bytes, want) => expect(formatHumanBytes(bytes)).toBe(want));
