import { expect, test } from "vitest";
import { refuseOtherSites } from "./refuse-other-sites.ts";

test.each([
  [undefined, "a:4319", false],
  ["http://a:4319", "a:4319", false],
  ["https://a", "a", false],
  ["http://a:4320", "a:4319", true],
  ["https://evil.example", "a:4319", true],
  ["null", "a:4319", true],
  ["http://a", undefined, true],
])("of a page of %s at %s", (origin, host, isRefused) => {
  const run = () => refuseOtherSites({ headers: { origin, host } });
  if (isRefused) expect(run).toThrow("other sites");
  else expect(run).not.toThrow();
});
