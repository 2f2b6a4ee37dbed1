import { expect, test } from "vitest";
import { parseSilences } from "./parse-silences.ts";

test("silences are read as amtool and the API write them", () => {
  const text = `[{"id":"x","status":{"state":"expired"},"startsAt":"2026-01-05T00:00:00.000Z","endsAt":"2026-01-05T02:00:00+01:00",
    "matchers":[{"name":"a","value":"b.*","isRegex":true,"isEqual":false},{"name":"c","value":"d","isRegex":false}]}]`;
  const [silence] = parseSilences(text, "file");
  expect(silence).toMatchObject({ startsAtMs: Date.UTC(2026, 0, 5), endsAtMs: Date.UTC(2026, 0, 5, 1) });
  expect(silence?.matchers).toMatchObject([
    { name: "a", op: "!~", value: "b.*" },
    { name: "c", op: "=", value: "d" },
  ]);
});

test.each([
  ["{", "file: "],
  ["{}", "expected array"],
  ['[{"matchers":[],"startsAt":"soon","endsAt":"2026-01-05T00:00:00Z"}]', "startsAt"],
])("%s is refused", (text, message) => {
  expect(() => parseSilences(text, "file")).toThrow(message);
});
