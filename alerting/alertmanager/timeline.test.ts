import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BEGIN_MS, Timeline, type TimelineOptions } from "./testing/timeline.ts";

const config = (route = "", rest = "") => `
route:
  receiver: ops
  group_by: [g]
  group_wait: 10s
  group_interval: 60s
  repeat_interval: 10m
${route}
receivers: [{name: ops}, {name: dba}, {name: team}]
${rest}
`;

let timeline: Timeline;
const begin = (yaml: string, options: Omit<TimelineOptions, "advance"> = {}) =>
  new Timeline(yaml, { ...options, advance: (ms) => vi.advanceTimersByTimeAsync(ms) });
beforeEach(() => vi.useFakeTimers({ now: BEGIN_MS }));
afterEach(() => {
  timeline.stop();
  vi.useRealTimers();
});

test("a group waits, tells of what is new at its interval, then of ends, then nothing until it repeats", async () => {
  timeline = begin(config());
  timeline.push({ a: "1" });
  await timeline.at(5);
  timeline.push({ a: "2" });
  await timeline.at(20);
  timeline.push({ a: "3" });
  await timeline.at(80);
  timeline.push({ a: "1" }, 0, 75);
  await timeline.at(140);
  for (let second = 200; second <= 800; second += 60) {
    timeline.push({ a: "2" });
    timeline.push({ a: "3" });
    await timeline.at(second);
  }
  expect(timeline.told).toEqual([
    "10 ops first notification: +1 +2",
    "70 ops new alerts added: +1 +2 +3",
    "130 ops some alerts resolved: -1 +2 +3",
    "790 ops repeat interval elapsed: +2 +3",
  ]);
});

test("an alert that is older than group_wait is told of at once", async () => {
  timeline = begin(config());
  timeline.push({ a: "old" }, -60);
  await timeline.at(1);
  expect(timeline.told).toEqual(["0 ops first notification: +old"]);
});

test("one that nobody posts again is over after resolve_timeout", async () => {
  timeline = begin(config());
  timeline.push({ a: "1" });
  await timeline.at(400);
  expect(timeline.told).toEqual(["10 ops first notification: +1", "310 ops all alerts resolved: -1"]);
});

test("what fires and ends before it was told of is never told of", async () => {
  timeline = begin(config());
  timeline.push({ a: "1" });
  await timeline.at(5);
  timeline.push({ a: "1" }, 0, 4);
  await timeline.at(600);
  expect(timeline.told).toEqual([]);
});

test("without send_resolved ends are not told, and a new beginning is the first again", async () => {
  timeline = begin(config(), { sendsResolved: false });
  timeline.push({ a: "1" });
  await timeline.at(20);
  timeline.push({ a: "1" }, 0, 15);
  await timeline.at(100);
  timeline.push({ a: "1" });
  await timeline.at(120);
  expect(timeline.told).toEqual(["10 ops first notification: +1", "110 ops first notification: +1"]);
  expect(timeline.decisions).toContainEqual(
    expect.objectContaining({
      kind: "not-notified",
      detail: expect.objectContaining({ reason: "all are resolved, and send_resolved is false" }),
    }),
  );
});

test("groups are by label, routes by matcher; continue leads to both", async () => {
  timeline = begin(
    config(`
  routes:
  - {matchers: [kind=db], receiver: dba, continue: true, group_wait: 1s}
  - {matchers: ['kind=~"d.*"'], receiver: team, group_by: ['...'], group_wait: 2s}
`),
  );
  timeline.push({ a: "1", kind: "db", g: "x" });
  timeline.push({ a: "2", kind: "db", g: "x" });
  timeline.push({ a: "3", g: "y" });
  await timeline.at(30);
  expect(timeline.told).toEqual([
    "1 dba first notification: +1 +2",
    "2 team first notification: +1",
    "2 team first notification: +2",
    "10 ops first notification: +3",
  ]);
});

test("an alert that is inhibited is told of when its source ends", async () => {
  timeline = begin(config("", "inhibit_rules: [{source_matchers: [s=high], target_matchers: [s=low], equal: [g]}]"));
  timeline.push({ a: "source", s: "high", g: "x" });
  timeline.push({ a: "target", s: "low", g: "x" });
  timeline.push({ a: "other", s: "low", g: "y" });
  await timeline.at(20);
  timeline.push({ a: "source", s: "high", g: "x" }, 0, 15);
  await timeline.at(100);
  expect(timeline.told).toEqual([
    "10 ops first notification: +source",
    "10 ops first notification: +other",
    "70 ops new alerts added: -source +target",
  ]);
  expect(timeline.decisions.filter(({ kind }) => kind === "inhibited" || kind === "released")).toMatchObject([
    { kind: "inhibited", detail: { by: expect.any(String) } },
    { kind: "released", detail: { from: "inhibited" } },
  ]);
});

test("a silence holds back what it matches until it ends; who holds back is kept", async () => {
  timeline = begin(config());
  const id = await timeline.silence("a=~1|2", 40);
  timeline.push({ a: "1" });
  timeline.push({ a: "3" });
  await timeline.at(100);
  expect(timeline.told).toEqual(["10 ops first notification: +3", "70 ops new alerts added: +1 +3"]);
  expect(timeline.decisions).toContainEqual(expect.objectContaining({ kind: "silenced", detail: { by: [id] } }));
});

test("mute and active times hold back whole groups, and are not inherited", async () => {
  timeline = begin(
    config(
      `
  routes:
  - {matchers: [r=muted], receiver: dba, mute_time_intervals: [monday], routes: [{matchers: [r2=x], receiver: team}]}
  - {matchers: [r=active], receiver: dba, active_time_intervals: [sunday]}
`,
      "time_intervals: [{name: monday, time_intervals: [{weekdays: [monday]}]}, {name: sunday, time_intervals: [{weekdays: [sunday]}]}]",
    ),
  );
  timeline.push({ a: "1", r: "muted" });
  timeline.push({ a: "2", r: "active" });
  timeline.push({ a: "3", r: "muted", r2: "x" });
  await timeline.at(30);
  expect(timeline.told).toEqual(["10 team first notification: +3"]);
  expect(timeline.decisions.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["muted", "inactive"]));
});

test("what can't be delivered for good is tried again with the next interval", async () => {
  timeline = begin(config());
  timeline.answer = () => ({ ok: false, retry: false, detail: "400" });
  timeline.push({ a: "1" });
  await timeline.at(20);
  timeline.answer = () => ({ ok: true, detail: "200" });
  await timeline.at(100);
  expect(timeline.told).toEqual(["10 ops first notification: +1 (failed)", "70 ops first notification: +1"]);
});

test("after a restart with its log nothing is told twice", async () => {
  const before = begin(config());
  before.push({ a: "1" });
  await before.at(20);
  before.stop();
  timeline = begin(config(), { log: before.log });
  timeline.push({ a: "1" }, -30);
  await timeline.at(60);
  expect(before.told).toHaveLength(1);
  expect(timeline.told).toEqual([]);
});
