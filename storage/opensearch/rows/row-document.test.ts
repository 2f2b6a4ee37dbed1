import { expect, test } from "vitest";
import { isoNanos } from "./row-document.ts";

test.each([
  [0n, "1970-01-01T00:00:00.000000000Z"],
  [1_763_742_019_123_456_789n, "2025-11-21T16:20:19.123456789Z"],
  [999_999n, "1970-01-01T00:00:00.000999999Z"],
  [-1n, "1970-01-01T00:00:00.000000000Z"],
  [-(2n ** 63n), "1970-01-01T00:00:00.000000000Z"],
  [2n ** 63n - 1n, "2262-04-11T23:47:16.854775807Z"],
])("%s ns is %s", (timeNs, text) => expect(isoNanos(timeNs)).toBe(text));
