import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SampleSlots } from "./sample-slots.ts";

describe.each(["usual", "sparse"] as const)("%s slots", (density) => {
  test("give back what was appended, from any time on", () => {
    // Steps of few lengths, so that series have times in common now and then.
    const appends = fc.array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 3 })), { maxLength: 400 });
    fc.assert(
      fc.property(appends, fc.nat(1_500), (rows, startMs) => {
        const slots = new SampleSlots(density);
        slots.ensureSeries(5);
        const expected: { timeMs: number; value: number }[][] = [[], [], [], [], []];
        for (const [series, stepMs] of rows) {
          const own = expected[series] as { timeMs: number; value: number }[];
          const sample = { timeMs: (own.at(-1)?.timeMs ?? 1_000) + stepMs, value: own.length };
          own.push(sample);
          expect(slots.append(series, sample.timeMs, Float64Array.of(sample.value), 0)).toBe(true);
        }
        for (const [series, own] of expected.entries()) {
          const places: number[] = [];
          const times: number[] = [];
          const count = slots.slotsFrom(series, startMs, places, times);
          const timesMs = new Float64Array(count);
          const values = new Float64Array(count);
          slots.copyTimes(times, count, timesMs, 0);
          slots.copyValues(places, count, values, 0);
          const wanted = own.slice(own.length - count);
          expect([...timesMs]).toEqual(wanted.map(({ timeMs }) => timeMs));
          expect([...values]).toEqual(wanted.map(({ value }) => value));
          expect(count).toBeGreaterThanOrEqual(own.filter(({ timeMs }) => timeMs >= startMs).length);
          expect(slots.countOf(series)).toBe(own.length);
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** As the series of one target are written, scrape by scrape; `stepMs` says how long after the scrape before. */
function scraped(series: number, stepMs: (series: number, scrape: number) => number): SampleSlots {
  const slots = new SampleSlots();
  slots.ensureSeries(series);
  const timesMs = new Float64Array(series);
  for (let scrape = 0; scrape < 96; scrape++) {
    for (let one = 0; one < series; one++) {
      timesMs[one] = (timesMs[one] as number) + stepMs(one, scrape);
      slots.append(one, timesMs[one] as number, Float64Array.of(1), 0);
    }
  }
  return slots;
}

function timesOf(slots: SampleSlots, series: number): number[] {
  const times: number[] = [];
  slots.slotsFrom(series, 0, [], times);
  return times;
}

test("series of one scrape share their times", () => {
  const slots = scraped(3, () => 15);
  expect(timesOf(slots, 1)).toEqual(timesOf(slots, 0));
  expect(timesOf(slots, 2)).toEqual(timesOf(slots, 0));
});

test("series that go on differently, but together, share theirs from then on", () => {
  const slots = scraped(6, (series, scrape) => (scrape === 40 && series >= 3 ? 30 : 15));
  expect(timesOf(slots, 2)).toEqual(timesOf(slots, 0));
  expect(timesOf(slots, 3)).not.toEqual(timesOf(slots, 0));
  expect(timesOf(slots, 5)).toEqual(timesOf(slots, 3));
});

test("series of many targets that are scraped in turn take little more than their values", () => {
  const targets = scraped(20_000, (series, scrape) => (scrape === 0 ? 1_000 + (series % 200) : 15));
  expect(targets.bytes).toBeLessThan(20_000 * 96 * 8 * 1.25);
});

test("a series that has just begun takes a third in sparse slots", () => {
  const bytesOf = (density: "usual" | "sparse") => {
    const slots = new SampleSlots(density);
    slots.ensureSeries(50_000);
    for (let series = 0; series < 50_000; series++) slots.append(series, 1, Float64Array.of(1), 0);
    return slots.bytes;
  };
  expect(bytesOf("sparse")).toBeLessThan(bytesOf("usual") / 2.5);
});
