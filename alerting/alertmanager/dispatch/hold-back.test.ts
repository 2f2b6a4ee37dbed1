import { expect, test } from "vitest";
import { readAlertmanagerConfig } from "../config/alertmanager-config.ts";
import { labelMatcher } from "../matchers/label-matcher.ts";
import { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { countNotifications } from "./count-notifications.ts";
import { type FiringAlert, holdBack } from "./hold-back.ts";
import { routeTree } from "./route.ts";

const MINUTE = 60_000;
/** A Monday at midnight in UTC. */
const BEGIN_MS = Date.UTC(2026, 0, 5);
const config = readAlertmanagerConfig(
  `route:
  receiver: team
  group_by: [alertname]
  routes:
  - {matchers: [quiet=yes], mute_time_intervals: [early]}
inhibit_rules:
- {source_matchers: [severity=critical], target_matchers: [severity=~"warning|critical"], equal: [host]}
time_intervals: [{name: early, time_intervals: [{times: [{start_time: '00:00', end_time: '01:00'}]}]}]
receivers: [{name: team}]
`,
  { syntax: new MatcherSyntax("fallback"), integrationKeys: new Set() },
);
const alert = (labels: Record<string, string>, start: number, end?: number): FiringAlert => ({
  labels: { alertname: "A", ...labels },
  startMs: BEGIN_MS + start * MINUTE,
  endMs: end === undefined ? undefined : BEGIN_MS + end * MINUTE,
});
const silence = (start: number, end: number) => ({
  matchers: [labelMatcher("host", "=", "a")],
  startsAtMs: BEGIN_MS + start * MINUTE,
  endsAtMs: BEGIN_MS + end * MINUTE,
});
const warning = { severity: "warning", host: "a" };
const critical = { alertname: "C", severity: "critical", host: "a" };

test.each([
  ["nothing stands in the way", [alert(warning, 0, 20)], [], 2, {}],
  ["a silence over all of its time", [alert(warning, 0, 20)], [silence(-5, 60)], 0, { silenced: 1 }],
  ["a silence that ends before it does", [alert(warning, 0, 60)], [silence(-5, 30)], 2, { silenced: 1 }],
  [
    "a silence that begins when it was told: its end is not",
    [alert(warning, 0, 20)],
    [silence(10, 60)],
    1,
    { silenced: 1 },
  ],
  ["a silence in between", [alert(warning, 0, 60)], [silence(10, 30)], 2, { silenced: 1 }],
  ["a silence of others", [alert({ ...warning, host: "b" }, 0, 20)], [silence(-5, 60)], 2, {}],
  [
    "one that inhibits it, and is told itself",
    [alert(warning, 0, 20), alert(critical, 0, 60)],
    [],
    2,
    { inhibited: 1 },
  ],
  [
    "one that inhibits those of another host",
    [alert(warning, 0, 20), alert({ ...critical, host: "b" }, 0, 60)],
    [],
    4,
    {},
  ],
  ["one that inhibited it before", [alert(warning, 30, 60), alert(critical, 0, 10)], [], 4, {}],
  [
    "two that are sources and targets",
    [alert(critical, 0, 20), alert({ ...critical, alertname: "D" }, 0, 20)],
    [],
    4,
    {},
  ],
  ["a time at which its route is mute", [alert({ quiet: "yes" }, 0, 20)], [], 0, { muted: 1 }],
  ["the end of that time", [alert({ quiet: "yes" }, 0, 120)], [], 2, { muted: 1 }],
])("%s", (_what, alerts, silences, notifications, heldBack) => {
  const isHeld = holdBack({ ...config, alerts, silences });
  const counts = countNotifications(routeTree(config.route), alerts, BEGIN_MS + 200 * MINUTE, isHeld);
  const sum = (of: (count: (typeof counts)[number]) => number) => counts.reduce((all, one) => all + of(one), 0);
  expect(sum((count) => count.notifications)).toBe(notifications);
  for (const reason of ["inhibited", "muted", "silenced"] as const) {
    expect(sum((count) => count.heldBack[reason])).toBe((heldBack as Record<string, number>)[reason] ?? 0);
  }
});
