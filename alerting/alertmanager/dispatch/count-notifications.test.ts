import { expect, test } from "vitest";
import { countNotifications } from "./count-notifications.ts";
import { routeTree } from "./route.ts";

const MINUTE = 60_000;
const base = {
  matchers: [],
  groupWaitMs: undefined,
  groupIntervalMs: undefined,
  repeatIntervalMs: undefined,
  muteTimeIntervals: [],
  activeTimeIntervals: [],
  labels: new Map<string, string>(),
  continues: false,
  routes: [],
};
const tree = routeTree({ ...base, receiver: "team", groupBy: ["job"] } as never);
const alert = (job: string, start: number, end?: number) => ({
  labels: { alertname: "A", job },
  startMs: start * MINUTE,
  endMs: end === undefined ? undefined : end * MINUTE,
});

test.each([
  ["one that comes and goes is told twice", [alert("a", 0, 20)], 60, 1, 2],
  ["one that is over before anybody waited for it is never told", [alert("a", 0, 0.2)], 60, 1, 0],
  ["two of a group are told together", [alert("a", 0, 20), alert("a", 0.1, 20)], 60, 1, 2],
  ["two groups are told apart", [alert("a", 0, 20), alert("b", 0, 20)], 60, 2, 4],
  ["one that goes on is repeated", [alert("a", 0)], 13 * 60, 1, 4],
  ["one that comes again is news again", [alert("a", 0, 20), alert("a", 100, 120)], 200, 1, 4],
])("%s", (_what, alerts, minutes, groups, notifications) => {
  const counts = countNotifications(tree, alerts, minutes * MINUTE);
  expect(counts).toMatchObject([{ receiver: "team", route: "{}", groups, notifications }]);
});
