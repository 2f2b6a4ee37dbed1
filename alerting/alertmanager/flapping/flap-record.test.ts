import fc from "fast-check";
import { expect, test } from "vitest";
import { afterChange, calmAtMs, type FlapLimits, type FlapRecord, isFlapping } from "./flap-record.ts";

const LIMITS: FlapLimits = { changes: 3, calmChanges: 1, windowMs: 100, calmMs: 60 };
const after = (timesMs: readonly number[], limits = LIMITS) =>
  timesMs.reduce<FlapRecord>((record, atMs) => afterChange(record, atMs, limits), { fingerprint: "f", timesMs: [] });

test.each([
  ["as many changes as may be", [0, 10, 20], undefined],
  ["one more", [0, 10, 20, 30], { sinceMs: 0, changes: 4 }],
  ["one more, the first just within the window", [0, 40, 60, 99], { sinceMs: 0, changes: 4 }],
  ["one more, the first just out of the window", [0, 40, 60, 100], undefined],
  ["many in a long time", [0, 50, 100, 150, 200, 250], undefined],
  ["a burst after a long time", [0, 500, 510, 520, 530], { sinceMs: 500, changes: 4 }],
  ["more while it flaps", [0, 10, 20, 30, 40, 50], { sinceMs: 0, changes: 6 }],
])("%s", (_, timesMs, flapping) => expect(after(timesMs).flapping).toEqual(flapping));

test.each([
  ["unchanged for calmMs", [0, 1, 2, 3], LIMITS, 63],
  ["few enough within the window", [0, 1, 2, 90], LIMITS, 102],
  ["none may be in the window", [0, 1, 2, 30], { ...LIMITS, calmChanges: 0, calmMs: 1_000 }, 130],
  ["a window that is shorter than calmMs", [0, 1, 2, 30], { ...LIMITS, calmMs: 1_000 }, 102],
] as const)("calm: %s", (_, timesMs, limits, atMs) => {
  const record = after(timesMs, limits);
  expect(calmAtMs(record, limits)).toBe(atMs);
  expect([atMs - 1, atMs].map((ms) => isFlapping(record, ms, limits))).toEqual([true, false]);
});

test("of any changes no more are kept than are needed, and one that has just changed too often flaps", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 30 });
  fc.assert(
    fc.property(gaps, (gapsMs) => {
      let atMs = 0;
      const timesMs = gapsMs.map((gapMs) => (atMs += gapMs));
      const record = after(timesMs);
      expect(record.timesMs).toEqual(timesMs.slice(-LIMITS.changes - 1));
      const inWindow = timesMs.filter((timeMs) => timeMs > atMs - LIMITS.windowMs).length;
      if (inWindow > LIMITS.changes) expect(isFlapping(record, atMs, LIMITS)).toBe(true);
    }),
  );
});
