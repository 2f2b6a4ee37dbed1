import { expect, test } from "vitest";
import { base64Decode } from "./base64-decode.ts";

test.each([
  ["aGVsbG8=", "hello"],
  ["aGVsbG8", "hello"],
  ["aGVs\nbG8=\r\n\n", "hello"],
  ["ab==", "i"],
  ["", ""],
])("%j says %j", (text, want) => expect(base64Decode(text)).toBe(want));

/** As Go's decoder names it, where padding is added to what has two or three characters more than fours. */
test.each([
  ["a", 0],
  ["aGVsbG8A=", 8],
  ["lvl= method", 4],
  ["=a", 0],
  ["é", 0],
  ["aé", 1],
  ["aGVs\nbG8", 5],
  ["abcd!", 4],
  ["ab=c", 2],
  ["ab===", 4],
  ["abc==", 4],
  ["abcdefg!", 7],
])("%j is wrong at byte %d", (text, want) => {
  expect(base64Decode(text)).toBe(`illegal base64 data at input byte ${want}`);
});
