import { expect, test } from "vitest";
import { decideNotification, type NotificationEntry } from "./notify-decision.ts";

const entry = (firing: string, resolved: string, timeMs: number): NotificationEntry => ({
  groupKey: "g",
  receiver: "r",
  integration: "webhook[0]",
  firing: [...firing],
  resolved: [...resolved],
  timeMs,
  expiresAtMs: 1e12,
});
const state = (firing: string, resolved: string) => ({ firing: new Set(firing), resolved: new Set(resolved) });
const NOTHING = "nothing to tell: it was never announced";
const QUIET = "nothing new before the repeat interval ends";

// Times in milliseconds: it is 1000 now, and the repeat interval is 100.
test.each([
  [undefined, state("a", ""), true, "first notification"],
  [undefined, state("", "a"), true, NOTHING],
  [entry("a", "", 950), state("ab", ""), true, "new alerts added"],
  [entry("", "a", 950), state("a", ""), true, "first notification"],
  [entry("a", "", 950), state("", "a"), true, "all alerts resolved"],
  [entry("a", "", 950), state("", "a"), false, "all alerts resolved"],
  [entry("", "a", 950), state("", "a"), true, NOTHING],
  [entry("ab", "", 950), state("a", "b"), true, "some alerts resolved"],
  [entry("ab", "", 950), state("a", "b"), false, QUIET],
  [entry("ab", "b", 950), state("a", "b"), true, QUIET],
  [entry("a", "", 950), state("a", ""), true, QUIET],
  [entry("a", "", 900), state("a", ""), true, QUIET],
  [entry("a", "", 899), state("a", ""), true, "repeat interval elapsed"],
] as const)("%j, then %j, resolved wanted: %s gives %s", (last, now, sendsResolved, reason) => {
  const decision = decideNotification(last, now, { sendsResolved, repeatIntervalMs: 100, nowMs: 1_000 });
  expect(decision.reason).toBe(reason);
  expect(decision.notify).toBe(reason !== NOTHING && reason !== QUIET);
});
