import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BEGIN_MS, Timeline, type TimelineOptions } from "../testing/timeline.ts";
import type { FlapLimits } from "./flap-record.ts";

const CONFIG = `
route: {receiver: ops, group_by: [g], group_wait: 10s, group_interval: 60s, repeat_interval: 1h}
receivers: [{name: ops}]
`;
const LIMITS: FlapLimits = { changes: 3, calmChanges: 1, windowMs: 600_000, calmMs: 300_000 };

let timeline: Timeline;
const begin = (options: Omit<TimelineOptions, "advance"> = {}) =>
  new Timeline(CONFIG, { flapping: LIMITS, ...options, advance: (ms) => vi.advanceTimersByTimeAsync(ms) });
beforeEach(() => vi.useFakeTimers({ now: BEGIN_MS }));
afterEach(() => {
  timeline.stop();
  vi.useRealTimers();
});

/** `x` fires at the first second, is over at the second one, and so on. */
async function flap(seconds: readonly number[]): Promise<void> {
  for (const [i, second] of seconds.entries()) {
    await timeline.at(second);
    timeline.push({ a: "x" }, second, i % 2 === 0 ? undefined : second);
  }
}

/** It is posted as before until long after it is calm. */
async function goOnFiring(): Promise<void> {
  for (let second = 500; second <= 900; second += 100) {
    await timeline.at(second);
    timeline.push({ a: "x" });
  }
}

const CHANGES = [0, 80, 140, 200, 260, 320, 380];

test("it is told once that an alert flaps, then its state when it is calm: it fires", async () => {
  timeline = begin();
  await flap(CHANGES);
  await goOnFiring();
  expect(timeline.told).toEqual([
    "10 ops first notification: +x",
    "130 ops all alerts resolved: -x",
    "150 ops first notification: +x",
    "210 ops all alerts resolved: -x",
    "270 ops first notification: ~x",
    "690 ops new alerts added: +x",
  ]);
});

test("… it is over", async () => {
  timeline = begin();
  await flap([...CHANGES, 440]);
  await timeline.at(900);
  expect(timeline.told.slice(4)).toEqual(["270 ops first notification: ~x", "750 ops all alerts resolved: -x"]);
});

test("without it every change is told", async () => {
  timeline = new Timeline(CONFIG, { advance: (ms) => vi.advanceTimersByTimeAsync(ms) });
  await flap(CHANGES);
  await timeline.at(450);
  expect(timeline.told).toHaveLength(7);
});

test("others of its group are told as ever", async () => {
  timeline = begin();
  await flap(CHANGES);
  timeline.push({ a: "y" });
  await timeline.at(500);
  timeline.push({ a: "y" }, 380, 500);
  await timeline.at(600);
  expect(timeline.told.slice(5)).toEqual(["390 ops new alerts added: ~x +y", "510 ops some alerts resolved: ~x -y"]);
});

test("those that want no word of ends are told that it flaps, and when it is calm and fires", async () => {
  timeline = begin({ sendsResolved: false });
  await flap(CHANGES);
  await goOnFiring();
  expect(timeline.told).toEqual([
    "10 ops first notification: +x",
    "150 ops first notification: +x",
    "270 ops first notification: ~x",
    "690 ops new alerts added: +x",
  ]);
});

test("after a restart nothing of it is told again", async () => {
  const before = begin();
  timeline = before;
  await flap(CHANGES);
  before.stop();
  timeline = begin({ log: before.log, flaps: before.flaps?.records ?? [] });
  await flap([440, 500]);
  await timeline.at(700);
  expect(timeline.told).toEqual([]);
  await timeline.at(900);
  expect(timeline.told).toEqual(["810 ops all alerts resolved: -x"]);
});
