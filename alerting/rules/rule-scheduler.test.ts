import { LocalLeases } from "@sightline/model/local-leases.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { Leases } from "@sightline/model/shared-state.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { parseRuleFile } from "./parse-rule-file.ts";
import { RuleReplicas } from "./rule-replicas.ts";
import { type Clock, RuleScheduler } from "./rule-scheduler.ts";
import { ScheduledRuleStates } from "./rule-states.ts";
import { MINUTE, RulesTestBed, START, sample } from "./rules-test-bed.ts";
import { nextSlot, slotAt } from "./slots.ts";

/** Time that goes on when told to. */
class ManualClock implements Clock {
  #nowMs = START;
  #sleeping: { readonly timeMs: number; readonly wake: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  sleepUntil(timeMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((wake) => {
      if (signal.aborted) return wake();
      signal.addEventListener("abort", () => wake());
      this.#sleeping.push({ timeMs, wake });
    });
  }

  async go(byMs: number): Promise<void> {
    const end = this.#nowMs + byMs;
    for (;;) {
      // Whoever was woken goes to sleep again first.
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      const due = this.#sleeping.filter(({ timeMs }) => timeMs <= end).sort((a, b) => a.timeMs - b.timeMs)[0];
      if (!due) break;
      this.#sleeping = this.#sleeping.filter((one) => one !== due);
      this.#nowMs = Math.max(this.#nowMs, due.timeMs);
      due.wake();
    }
    this.#nowMs = end;
  }
}

type SetUp = { clock?: ManualClock; leases?: Leases; replicas?: RuleReplicas };

function setUp({ clock = new ManualClock(), leases, replicas }: SetUp = {}) {
  const bed = new RulesTestBed();
  const scheduler = new RuleScheduler({ group: bed.options(), logger: SILENT_LOGGER, clock, leases, replicas });
  const update = (text: string) => {
    const groups = parseRuleFile(text, { check: (expression) => bed.check(expression) });
    return scheduler.update(
      "test",
      groups.map((config) => ({ tenant: DEFAULT_TENANT, file: "f", config })),
    );
  };
  return { bed, clock, scheduler, update };
}

test("a group has its turn once an interval, at a second of its own", async () => {
  const { bed, clock, scheduler, update } = setUp();
  await update(
    "groups: [{name: a, rules: [{alert: A, expr: a}]}, {name: b, interval: 20s, rules: [{alert: B, expr: b}]}]",
  );
  await scheduler.start();
  await clock.go(2 * MINUTE);
  await scheduler.stop();
  const times = (text: string) => bed.asked.filter((query) => query.text === text).map(({ timeMs }) => timeMs);
  expect([times("a").length, times("b").length]).toEqual([2, 6]);
  expect((times("a")[1] ?? 0) - (times("a")[0] ?? 0)).toBe(MINUTE);
  expect(times("a")[0]).toBe(slotAt("default;f;a", START, MINUTE) + MINUTE);
});

test("after an update groups that did not change go on, others keep their state, and those that are gone end", async () => {
  const { bed, clock, scheduler, update } = setUp();
  bed.results.set("a", [sample({ job: "x" })]);
  const group = (name: string, more: string) => `{name: ${name}, rules: [{alert: A, expr: a, for: 2m}${more}]}`;
  await update(`groups: [${group("same", "")}, ${group("other", "")}, ${group("gone", "")}]`);
  await scheduler.start();
  await clock.go(5 * MINUTE);
  const before = scheduler.groups();
  bed.takeWritten();
  await update(`groups: [${group("same", "")}, ${group("other", ", {record: b, expr: b}")}]`);
  expect(bed.takeWritten()).toEqual([
    "ALERTS_FOR_STATE{alertname=A,job=x} stale",
    "ALERTS{alertname=A,alertstate=firing,job=x} stale",
  ]);
  const after = scheduler.groups();
  expect(after.map(({ config }) => config.name)).toEqual(["other", "same"]);
  expect(after[1]).toBe(before[2]);
  expect([...(after[0]?.rules[0]?.alerting?.alerts ?? [])]).toMatchObject([{ state: "firing" }]);
  await scheduler.stop();
});

test("alerts are written once it is known what was before the start, those of later groups at once", async () => {
  const { bed, clock, scheduler, update } = setUp();
  bed.results.set("a", [sample({})]);
  const first = "{name: a, rules: [{alert: A, expr: a}]}";
  await update(`groups: [${first}]`);
  await scheduler.start();
  await clock.go(MINUTE);
  expect(bed.takeWritten()).toEqual([]);
  await clock.go(2 * MINUTE);
  expect(bed.takeWritten()).not.toEqual([]);
  await update(`groups: [${first}, {name: b, interval: 1s, rules: [{alert: B, expr: a}]}]`);
  bed.takeWritten();
  await clock.go(1_500);
  expect(bed.takeWritten().join()).toContain("alertname=B");
  await scheduler.stop();
});

test("of two processes one evaluates a group, and when it is gone the other one goes on with what was written", async () => {
  const clock = new ManualClock();
  const leases = new LocalLeases(() => clock.nowMs());
  const [one, other] = [setUp({ clock, leases }), setUp({ clock, leases })];
  for (const { bed, update, scheduler } of [one, other]) {
    bed.results.set("a", [sample({})]);
    await update("groups: [{name: a, rules: [{alert: A, expr: a, for: 20m}]}]");
    await scheduler.start();
  }
  await clock.go(10 * MINUTE);
  const evaluations = [one, other].map(({ bed }) => bed.asked.splice(0).length);
  expect(evaluations.sort((a, b) => a - b)).toEqual([0, 10]);
  const [holder, waiting] = holderOf(one) ? [one, other] : [other, one];
  const before = holderOf(holder)?.activeAtMs ?? 0;
  const written = holder.bed.written.findLast(({ value }) => value === Math.floor(before / 1_000));
  waiting.bed.stored = [
    { labels: written?.labels ?? [], timeMs: written?.timeMs ?? 0, value: Math.floor(before / 1_000), isStale: false },
  ];
  await holder.scheduler.stop();
  await clock.go(3 * MINUTE);
  expect(waiting.bed.asked.length).toBe(3);
  const gapMs = (holderOf(waiting)?.activeAtMs ?? 0) - before;
  expect([gapMs > -1_000, gapMs <= 2 * MINUTE]).toEqual([true, true]);
  await waiting.scheduler.stop();
});

function holderOf({ scheduler }: ReturnType<typeof setUp>) {
  const [alert] = scheduler.groups()[0]?.rules[0]?.alerting?.alerts ?? [];
  return alert;
}

test("slots of many groups spread over the interval, and stay where they are", () => {
  const offsets = Array.from({ length: 1_000 }, (_, i) => slotAt(`t;f;g${i}`, START, MINUTE) % MINUTE);
  const perTenth = Array.from({ length: 10 }, (_, i) => offsets.filter((ms) => Math.floor(ms / 6_000) === i).length);
  expect(Math.min(...perTenth)).toBeGreaterThan(50);
  expect(slotAt("g", START + 5 * MINUTE, MINUTE) - slotAt("g", START, MINUTE)).toBe(5 * MINUTE);
});

test.each([
  [0, 0, 1],
  [0.9, 0, 1],
  [1.5, 0, 1],
  [2.5, 1, 2],
  [7.2, 6, 7],
])("after %d intervals %d turns were missed", (intervals, missed, next) => {
  expect(nextSlot(START, START + intervals * MINUTE, MINUTE)).toEqual({ slotMs: START + next * MINUTE, missed });
});

/** Processes that share groups out, as far as they are there. */
class Replicas {
  readonly #clock = new ManualClock();
  readonly #leases = new LocalLeases(() => this.#clock.nowMs());
  readonly #kept = new Map<string, Uint8Array>();
  #ids: string[] = [];

  get clock(): ManualClock {
    return this.#clock;
  }

  async join(id: string, rules: string) {
    const replicas = new RuleReplicas({
      logger: SILENT_LOGGER,
      members: {
        announce: async () => [id, ...this.#ids.filter((other) => other !== id)],
        leave: async () => {},
      },
      states: {
        maxBytes: 1_000_000,
        get: async (key) => this.#kept.get(key),
        put: async (key, bytes) => void this.#kept.set(key, bytes),
      },
    });
    this.#ids.push(id);
    const one = setUp({ clock: this.#clock, leases: this.#leases, replicas });
    one.bed.results.set("a", [sample({ job: "x" }, Number.NaN)]);
    await one.update(rules);
    return { ...one, replicas, states: new ScheduledRuleStates(one.scheduler, [], replicas) };
  }

  leave(id: string): void {
    this.#ids = this.#ids.filter((other) => other !== id);
  }
}

const TEN = Array.from({ length: 10 }, (_, i) => `{name: g${i}, rules: [{alert: A${i}, expr: a, for: 5m}]}`);

test("processes share groups out, each is evaluated by one, all show all, and one that comes goes on with what is known", async () => {
  const replicas = new Replicas();
  const rules = `groups: [${TEN}]`;
  const one = await replicas.join("one", rules);
  await one.replicas.look();
  await one.scheduler.start();
  await replicas.clock.go(10 * MINUTE);
  expect(one.bed.asked.splice(0).length).toBe(100);
  const other = await replicas.join("other", rules);
  for (const { replicas: look } of [one, other]) await look.look();
  await other.scheduler.start();
  // In the first minute one says what it knows of those groups that it gives away.
  await replicas.clock.go(2 * MINUTE);
  for (const { bed } of [one, other]) bed.asked.length = 0;
  await replicas.clock.go(3 * MINUTE);
  const counts = [one, other].map(({ bed }) => bed.asked.length);
  expect([counts[0]! + counts[1]!, Math.min(...counts) >= 6]).toEqual([30, true]);
  for (const { states } of [one, other]) {
    const groups = await states.groups(DEFAULT_TENANT);
    const shown = groups.map(({ rules: [rule] }) => rule);
    // All fire since the first evaluations: they have not begun to wait again.
    expect(shown).toMatchObject(TEN.map(() => ({ health: "ok", alerts: [{ state: "firing", value: Number.NaN }] })));
  }
  replicas.leave("other");
  await one.replicas.look();
  await other.scheduler.stop();
  one.bed.asked.length = 0;
  await replicas.clock.go(3 * MINUTE);
  expect(one.bed.asked.length).toBe(30);
  // Whoever tells of an alert says that it fires since the same time.
  const began = Map.groupBy([...one.bed.sent, ...other.bed.sent], ({ labels }) => labels.alertname);
  for (const told of began.values()) expect(new Set(told.map(({ startsAtMs }) => startsAtMs)).size).toBe(1);
  expect(began.size).toBe(10);
  await one.scheduler.stop();
});
