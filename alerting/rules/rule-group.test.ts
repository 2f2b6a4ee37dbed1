import { labelsFrom } from "@sightline/model/labels.ts";
import { expect, test } from "vitest";
import { MINUTE, RulesTestBed, START, sample } from "./rules-test-bed.ts";

const at = (minutes: number) => START + minutes * MINUTE;
const rules = (text: string) => `groups:\n- name: g\n  rules:\n${text}`;
const DOWN = rules("  - {alert: Down, expr: down, for: 2m, labels: {severity: page}}");
const states = (group: ReturnType<RulesTestBed["group"]>) =>
  group.rules.flatMap(({ alerting }) => [...(alerting?.alerts ?? [])].map(({ state }) => state));

test("an alert is pending for its time, then fires, then is over, and each is written and sent", async () => {
  const bed = new RulesTestBed();
  const group = bed.group(DOWN);
  bed.results.set("down", [sample({ __name__: "up", job: "a" }, 0)]);
  await group.evaluate(at(0));
  expect(bed.takeWritten()).toEqual([
    "ALERTS_FOR_STATE{alertname=Down,job=a,severity=page} 1790000040",
    "ALERTS{alertname=Down,alertstate=pending,job=a,severity=page} 1",
  ]);
  await group.evaluate(at(1));
  expect([states(group), bed.sent]).toEqual([["pending"], []]);
  bed.takeWritten();
  await group.evaluate(at(2));
  expect(bed.takeWritten()).toEqual([
    "ALERTS_FOR_STATE{alertname=Down,job=a,severity=page} 1790000040",
    "ALERTS{alertname=Down,alertstate=firing,job=a,severity=page} 1",
    "ALERTS{alertname=Down,alertstate=pending,job=a,severity=page} stale",
  ]);
  expect(bed.sent.splice(0)).toEqual([
    {
      labels: { alertname: "Down", job: "a", severity: "page" },
      annotations: {},
      startsAtMs: at(2),
      endsAtMs: at(2 + 4),
      generatorUrl: "http://here/graph?g0.expr=down&g0.tab=1",
    },
  ]);
  bed.results.set("down", []);
  await group.evaluate(at(4));
  expect(bed.sent.splice(0)).toMatchObject([{ startsAtMs: at(2), endsAtMs: at(4) }]);
  expect(bed.takeWritten().map((line) => line.split(" ")[1])).toEqual(["stale", "stale"]);
  for (let minute = 5; minute <= 20; minute++) await group.evaluate(at(minute));
  expect([bed.sent.length > 3, states(group)]).toEqual([true, []]);
});

test("a pending alert that is gone leaves nothing", async () => {
  const bed = new RulesTestBed();
  const group = bed.group(DOWN);
  bed.results.set("down", [sample({ job: "a" })]);
  await group.evaluate(at(0));
  bed.results.set("down", []);
  await group.evaluate(at(1));
  expect([states(group), bed.sent]).toEqual([[], []]);
});

test("keep_firing_for keeps it firing, and coming back begins anew", async () => {
  const bed = new RulesTestBed();
  const group = bed.group(rules("  - {alert: A, expr: a, keep_firing_for: 3m}"));
  const seen: string[] = [];
  for (const [minute, isThere] of [true, false, false, true, false, false, false, false].entries()) {
    bed.results.set("a", isThere ? [sample({})] : []);
    await group.evaluate(at(minute));
    seen.push(...states(group));
  }
  expect(seen).toEqual([...Array(7).fill("firing"), "inactive"]);
});

test("too many alerts are none, without a word of those that were", async () => {
  const bed = new RulesTestBed();
  const group = bed.group("groups: [{name: g, limit: 1, rules: [{alert: A, expr: a}]}]");
  bed.results.set("a", [sample({ job: "1" })]);
  await group.evaluate(at(0));
  bed.takeWritten();
  bed.results.set("a", [sample({ job: "1" }), sample({ job: "2" })]);
  await group.evaluate(at(1));
  expect([bed.takeWritten(), states(group)]).toEqual([[], []]);
  expect(group.rules[0]).toMatchObject({ health: "err", lastError: "exceeded limit of 1 with 2 alerts" });
});

test("a failing query changes nothing, and says so", async () => {
  const bed = new RulesTestBed();
  const group = bed.group(rules("  - {alert: A, expr: a}"));
  bed.results.set("a", [sample({})]);
  await group.evaluate(at(0));
  bed.takeWritten();
  bed.sent.length = 0;
  bed.results.set("a", new Error("too slow"));
  await group.evaluate(at(5));
  expect([states(group), bed.takeWritten(), bed.sent]).toEqual([["firing"], [], []]);
  expect(group.rules[0]).toMatchObject({ health: "err", lastError: "too slow" });
});

test.each([
  [
    "{alert: A, expr: a, labels: {job: x}}",
    "vector contains metrics with the same labelset after applying alert labels",
  ],
  [
    "{record: a, expr: a, labels: {job: x}}",
    "vector contains metrics with the same labelset after applying rule labels",
  ],
])("%s that makes two label sets one is an error", async (rule, lastError) => {
  const bed = new RulesTestBed();
  const group = bed.group(rules(`  - ${rule}`));
  bed.results.set("a", [sample({ job: "1" }), sample({ job: "2" })]);
  await group.evaluate(at(0));
  expect(group.rules[0]).toMatchObject({ health: "err", lastError });
});

test("rules record under their name, at the time that was asked for, and say when a series ends", async () => {
  const bed = new RulesTestBed();
  const group = bed.group(
    "groups: [{name: g, query_offset: 1m, labels: {team: t}, rules: [{record: 'a:b', expr: a}]}]",
  );
  bed.results.set("a", [sample({ __name__: "a", job: "1" }, 5), sample({ job: "2" }, 6)]);
  await group.evaluate(at(1));
  expect(bed.asked).toEqual([{ text: "a", language: "promql", timeMs: at(0) }]);
  expect(new Set(bed.written.map(({ timeMs }) => timeMs))).toEqual(new Set([at(0)]));
  expect(bed.takeWritten()).toEqual(["a:b{job=1,team=t} 5", "a:b{job=2,team=t} 6"]);
  bed.results.set("a", [sample({ job: "2" }, 7)]);
  await group.evaluate(at(2));
  expect(bed.takeWritten()).toEqual(["a:b{job=1,team=t} stale", "a:b{job=2,team=t} 7"]);
});

test("what could not be written is no news: its series have not ended with the next evaluation", async () => {
  const bed = new RulesTestBed();
  const group = bed.group(rules("  - {record: 'a:b', expr: a}"));
  bed.results.set("a", [sample({ job: "1" })]);
  await group.evaluate(at(0));
  bed.takeWritten();
  bed.results.set("a", []);
  bed.writeError = new Error("full");
  await group.evaluate(at(1));
  expect(group.rules[0]).toMatchObject({ health: "err", lastError: "full" });
  bed.writeError = undefined;
  await group.evaluate(at(2));
  expect(bed.takeWritten()).toEqual(["a:b{job=1} stale"]);
});

test("new rules go on with the state of those of the same name and labels, and end the series of the others", async () => {
  const bed = new RulesTestBed();
  const before = bed.group(`${DOWN}\n  - {record: 'old:one', expr: a}`);
  bed.results.set("down", [sample({ job: "a" })]);
  bed.results.set("a", [sample({})]);
  await before.evaluate(at(0));
  await before.evaluate(at(1));
  bed.takeWritten();
  const after = bed.group(DOWN.replace("expr: down", "expr: down2"));
  after.takeOver(before);
  bed.results.set("down2", [sample({ job: "a" })]);
  await after.evaluate(at(2));
  expect(states(after)).toEqual(["firing"]);
  expect(bed.takeWritten()).toContain("old:one{} stale");
});

test.each([
  // minutes the alert was pending before, when that ended, and when it then fires (a restart at 0, a `for` of 20m)
  ["had fired", 30, 5, -35],
  ["had long to wait", 5, 3, -5],
  ["was nearly there", 18, 2, -10],
])("after a restart an alert that %s goes on", async (_what, pending, downtime, activeAt) => {
  const bed = new RulesTestBed();
  const group = bed.group(rules("  - {alert: A, expr: a, for: 20m}"), { isRestored: false });
  bed.results.set("a", [sample({})]);
  await group.evaluate(at(-1));
  await group.evaluate(at(0));
  expect(bed.takeWritten()).toEqual([]);
  const labels = labelsFrom({ __name__: "ALERTS_FOR_STATE", alertname: "A" });
  const timeMs = at(-downtime);
  bed.stored = [{ labels, timeMs, value: (timeMs - pending * MINUTE) / 1_000, isStale: false }];
  await group.restore(at(0));
  const [alert] = group.rules[0]?.alerting?.alerts ?? [];
  expect(((alert?.activeAtMs ?? 0) - START) / MINUTE).toBe(activeAt);
  await group.evaluate(at(1));
  expect(bed.takeWritten()).toHaveLength(2);
});

test("an alert that was over before the restart begins anew", async () => {
  const bed = new RulesTestBed();
  const group = bed.group(rules("  - {alert: A, expr: a, for: 20m}"), { isRestored: false });
  bed.results.set("a", [sample({})]);
  await group.evaluate(at(0));
  const labels = labelsFrom({ __name__: "ALERTS_FOR_STATE", alertname: "A" });
  bed.stored = [{ labels, timeMs: at(-1), value: Number.NaN, isStale: true }];
  await group.restore(at(0));
  expect([...(group.rules[0]?.alerting?.alerts ?? [])]).toMatchObject([{ activeAtMs: at(0) }]);
});

test("no data and errors are alerts of their own where a rule wants that", async () => {
  const bed = new RulesTestBed();
  const group = bed.group(rules("  - {alert: A, expr: a, no_data_for: 1m, error_for: 0s}"));
  await group.evaluate(at(0));
  await group.evaluate(at(1));
  expect(bed.sent.splice(0)).toMatchObject([{ labels: { alertname: "A", alert_reason: "no_data" } }]);
  bed.results.set("a", new Error("down"));
  await group.evaluate(at(2));
  expect(bed.sent.map(({ labels }) => labels.alert_reason)).toContain("error");
  bed.sent.length = 0;
  bed.results.set("a", [sample({})]);
  await group.evaluate(at(3));
  const over = bed.sent.filter(({ endsAtMs }) => endsAtMs === at(3)).map(({ labels }) => labels.alert_reason);
  expect(over.sort()).toEqual(["error", "no_data"]);
});

/** How many batches were written for each evaluation, by what the rules read. */
test.each<[string, string, number]>([
  [
    "that read nothing of each other are written together",
    "{record: a, expr: x}, {record: b, expr: y}, {alert: C, expr: z}",
    1,
  ],
  ["one of which reads another are not", "{record: a, expr: x}, {record: b, expr: a}, {alert: C, expr: z}", 2],
  ["that may read anything come after all is written", "{record: a, expr: x}, {record: b, expr: anything}", 2],
  ["of which one reads alerts are not", "{alert: A, expr: x}, {record: b, expr: ALERTS}", 2],
  [
    "with an alert whose text asks a query are not",
    "{record: a, expr: x}, {alert: B, expr: y, labels: {c: '{{ query \"a\" }}'}}",
    2,
  ],
  ["with names that have other spellings are not", "{record: a.b, expr: x}, {record: c, expr: y}", 2],
])("rules %s", async (_, list, batches) => {
  const bed = new RulesTestBed();
  for (const name of ["x", "y", "z", "a", "ALERTS", "anything"]) bed.results.set(name, [sample({ job: "1" })]);
  const group = bed.group(`groups: [{name: g, rules: [${list}]}]`);
  await group.evaluate(at(0));
  expect(bed.batches).toBe(batches);
});

test("what can't be written is the failure of all rules that gave it, and is not taken for written", async () => {
  const bed = new RulesTestBed();
  const group = bed.group(rules("  - {record: b, expr: x}\n  - {record: c, expr: y}"));
  bed.results.set("x", [sample({})]).set("y", [sample({})]);
  bed.writeError = new Error("full");
  await group.evaluate(at(0));
  expect(group.rules).toMatchObject([
    { health: "err", lastError: "full" },
    { health: "err", lastError: "full" },
  ]);
  bed.writeError = undefined;
  bed.results.set("x", []);
  await group.evaluate(at(1));
  expect([bed.takeWritten(), group.rules.map(({ health }) => health)]).toEqual([["c{} 1"], ["ok", "ok"]]);
});
