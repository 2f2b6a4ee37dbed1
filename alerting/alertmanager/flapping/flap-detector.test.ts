import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { expect, test } from "vitest";
import type { KnownAlert } from "../alerts/known-alert.ts";
import type { Decision } from "../history/decision.ts";
import { MemoryJournal } from "../journal/journal.ts";
import { labelMap } from "../labels.ts";
import type { NotificationEntry } from "../notification-log/notify-decision.ts";
import { FlapDetector } from "./flap-detector.ts";
import type { FlapLimits, FlapRecord } from "./flap-record.ts";
import { memberOf } from "./told-alert.ts";

const LIMITS: FlapLimits = { changes: 2, calmChanges: 1, windowMs: 1_000, calmMs: 500 };
const SOON = 5_000;

function make(maxAlerts = 10) {
  const counts = { held: 0, uncounted: 0 };
  const decisions: Decision[] = [];
  const detector = new FlapDetector({
    limits: LIMITS,
    maxAlerts,
    metrics: { flapChangeHeld: () => void counts.held++, flapUncounted: () => void counts.uncounted++ },
    decisions: { record: (decision) => decisions.push(decision) },
    logger: SILENT_LOGGER,
  });
  const last = new Map<string, KnownAlert>();
  /** It fires from then on, until `endsAtMs`. */
  const post = (nowMs: number, endsAtMs: number, fingerprint = "f") => {
    const alert = known(fingerprint, nowMs, endsAtMs);
    detector.observe(alert, last.get(fingerprint), nowMs);
    last.set(fingerprint, alert);
  };
  const flap = (timesMs: readonly number[], fingerprint = "f") => {
    for (const [i, atMs] of timesMs.entries()) post(atMs, i % 2 === 0 ? atMs + SOON : atMs, fingerprint);
  };
  return { detector, counts, decisions, last, post, flap };
}

function known(fingerprint: string, nowMs: number, endsAtMs: number): KnownAlert {
  const texts = { labels: labelMap({ a: fingerprint }), annotations: labelMap({ summary: "s" }), generatorUrl: "" };
  return { ...texts, fingerprint, startsAtMs: 0, endsAtMs, updatedAtMs: nowMs, isTimeout: false };
}

const entry = (timeMs: number, firing: readonly string[], resolved: readonly string[] = []): NotificationEntry => ({
  groupKey: "g",
  receiver: "r",
  integration: "webhook[0]",
  firing,
  resolved,
  timeMs,
  expiresAtMs: 1e12,
});

test("that it begins to fire, and that it still does, is no change", () => {
  const { detector, post } = make();
  for (const atMs of [0, 10, 20, 30, 40]) post(atMs, atMs + SOON);
  expect(detector.records).toEqual([]);
  post(50, 50);
  post(60, 50);
  expect(detector.records).toEqual([{ fingerprint: "f", timesMs: [50] }]);
});

test("from one change too many on it flaps, whoever asks; what it was and why is told once, changes are counted", () => {
  const { detector, counts, decisions, post, flap } = make();
  flap([0, 10, 20]);
  expect(detector.flappingOf("f", 20)).toBeUndefined();
  post(30, 30);
  post(40, SOON);
  post(50, 50);
  expect(detector.flappingOf("f", 50)).toEqual({ sinceMs: 10, changes: 5, lastChangeMs: 50, calmAtMs: 550 });
  expect(detector.flappingOf("f", 550)).toBeUndefined();
  expect([detector.countFlapping(549), detector.countFlapping(550)]).toEqual([1, 0]);
  expect(counts.held).toBe(2);
  const since = new Date(10).toISOString();
  const calmAt = new Date(530).toISOString();
  expect(decisions).toEqual([{ atMs: 30, kind: "flapping", fingerprint: "f", detail: { changes: 3, since, calmAt } }]);
  detector.collectGarbage(600);
  const calm = { from: "flapping", changes: 5, since };
  expect(decisions.slice(1)).toEqual([{ atMs: 550, kind: "released", fingerprint: "f", detail: calm }]);
});

test("an end that nobody posted counts when it fires again", () => {
  const { detector, post } = make();
  post(0, 10);
  post(20, 30);
  expect(detector.records[0]?.timesMs).toEqual([10, 20]);
  post(40, 50);
  expect(detector.flappingOf("f", 40)).toEqual({ sinceMs: 10, changes: 4, lastChangeMs: 40, calmAtMs: 540 });
});

test("once it was calm the count begins anew", () => {
  const { detector, flap } = make();
  flap([0, 10, 20, 30]);
  flap([600, 610]);
  expect(detector.flappingOf("f", 610)).toBeUndefined();
  flap([620, 630]);
  expect(detector.flappingOf("f", 630)).toMatchObject({ sinceMs: 600 });
});

test("what it knew is there after a restart", () => {
  const first = make();
  const journal = new MemoryJournal<FlapRecord>();
  first.detector.keepIn(journal);
  first.flap([0, 10, 20, 30, 40]);
  const second = make();
  for (const record of journal.records) second.detector.replay(record);
  expect(second.detector.records).toEqual(first.detector.records);
  expect(second.detector.flappingOf("f", 50)).toEqual(first.detector.flappingOf("f", 50));
});

test("one that does not change any more is forgotten; of more than there may be changes are not counted, and that is", () => {
  const { detector, counts, flap } = make(2);
  for (const fingerprint of ["a", "b", "c"]) flap([0, 10], fingerprint);
  expect(detector.records.map(({ fingerprint }) => fingerprint)).toEqual(["a", "b"]);
  expect(counts.uncounted).toBe(1);
  detector.collectGarbage(1_009);
  expect(detector.records).toHaveLength(2);
  detector.collectGarbage(1_010);
  expect(detector.records).toHaveLength(0);
});

test("it is told as one that fires, with how often it changed", () => {
  const { detector, last, flap } = make();
  flap([0, 10, 20, 30]);
  const alert = last.get("f") as KnownAlert;
  const told = detector.asTold(alert, undefined, 40);
  expect(told.endsAtMs).toBeGreaterThan(40);
  expect({ ...told.annotations }).toEqual({
    summary: "s",
    flapping:
      "changed 3 times between firing and resolved since 1970-01-01T00:00:00.010Z; its changes are not told until it is calm (unchanged for 500ms, at most)",
  });
  expect(memberOf(told)).toBe("f flapping");
  expect(detector.asTold(alert, undefined, 530)).toBe(alert);
});

test("a replica that missed changes learns from the log that it flaps, unless it knows better", () => {
  const { detector, flap } = make();
  detector.adopt(entry(100, ["f flapping", "other"]), 110);
  expect(detector.flappingOf("f", 110)).toMatchObject({ lastChangeMs: 100, calmAtMs: 600 });
  expect(detector.flappingOf("other", 110)).toBeUndefined();
  detector.collectGarbage(600);
  detector.adopt(entry(100, ["f flapping"]), 610);
  detector.adopt(entry(590, ["f flapping"]), 610);
  expect(detector.flappingOf("f", 610)).toBeUndefined();
  flap([700, 710, 720, 730]);
  const known = detector.flappingOf("f", 730);
  detector.adopt(entry(725, ["f flapping"]), 730);
  expect(detector.flappingOf("f", 730)).toEqual(known);
});

test.each([
  ["before it changed last", entry(25, ["f"]), true],
  ["when it had just changed: that was under way then", entry(35, ["f"]), true],
  ["lately: a replica knows it to be calm and firing", entry(405, ["f"]), false],
  ["lately: a replica knows it to be calm and over", entry(405, [], ["f"]), false],
  ["lately: it flaps", entry(405, ["f flapping"]), true],
])("told %s", (_, last, isTold) => {
  const { detector, last: alerts, flap } = make();
  flap([0, 10, 20, 30]);
  expect(detector.asTold(alerts.get("f") as KnownAlert, last, 410).flapping !== undefined).toBe(isTold);
});
