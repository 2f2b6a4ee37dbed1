import { expect, test } from "vitest";
import { assertListenIsSafe, isLoopback } from "./listen-guard.ts";

test.each([
  ["127.0.0.1", true],
  ["127.8.8.8", true],
  ["localhost", true],
  ["::1", true],
  ["[::1]", true],
  ["0.0.0.0", false],
  ["10.0.0.1", false],
  ["::", false],
  ["127.example.com", false],
])("%s is loopback: %s", (host, want) => expect(isLoopback(host)).toBe(want));

test.each([
  ["none", false, /auth\.mode: keys.*auth\.allow_unauthenticated/],
  ["none", true, undefined],
  ["keys", false, undefined],
] as const)("beyond loopback, auth.mode %s with allow_unauthenticated %s", (mode, allowed, want) => {
  const check = () => assertListenIsSafe("listen", "0.0.0.0", { mode, allow_unauthenticated: allowed });
  if (want === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(want);
});
