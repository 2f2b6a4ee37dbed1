import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { SharedCache } from "@sightline/model/shared-state.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { PublishedRules } from "./published-rules.ts";
import type { RuleGroup } from "./rule-group.ts";
import { RulePublisher } from "./rule-publisher.ts";
import { RulesTestBed, START, sample } from "./rules-test-bed.ts";

const RULE = "groups: [{ name: g, rules: [{ record: r, expr: r }] }]";

class MapCache implements SharedCache {
  readonly maxBytes = 1_000_000;
  readonly kept = new Map<string, Uint8Array>();
  puts = 0;

  async get(key: string): Promise<Uint8Array | undefined> {
    return this.kept.get(key);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.puts++;
    this.kept.set(key, bytes);
  }
}

function publishing(groups: RuleGroup[]) {
  const published = new MapCache();
  const publisher = new RulePublisher({
    scheduler: { groups: () => groups },
    published,
    alertmanagers: ["http://am:9093"],
    logger: SILENT_LOGGER,
  });
  return { published, publisher, shownAt: (nowMs: number) => new PublishedRules(published, () => nowMs) };
}

test("who evaluates no rules shows those of others, with their alerts and odd values", async () => {
  const bed = new RulesTestBed();
  const group = bed.group("groups: [{ name: g, rules: [{ alert: A, expr: a }, { record: r, expr: r }] }]");
  bed.results.set("a", [sample({ i: "1" }, Number.POSITIVE_INFINITY)]);
  await group.evaluate(START);
  const { publisher, shownAt } = publishing([group]);
  await publisher.publish(START);
  const shown = shownAt(START + 1_000);
  const [state, ...rest] = await shown.groups(DEFAULT_TENANT);
  expect(rest).toEqual([]);
  expect(state).toMatchObject({ lastEvaluationMs: START, rules: [{ state: "firing" }, { type: "recording" }] });
  expect(state?.rules[0]).toMatchObject({ alerts: [{ labels: { i: "1" }, value: Number.POSITIVE_INFINITY }] });
  expect(shown.alertmanagers).toEqual(["http://am:9093"]);
  expect(await shown.groups(tenantId("other"))).toEqual([]);
});

test("what did not change is told again only now and then, and what is gone no more", async () => {
  const bed = new RulesTestBed();
  const groups = [bed.group(RULE)];
  const { published, publisher, shownAt } = publishing(groups);
  await publisher.publish(START);
  expect(published.puts).toBe(2);
  await publisher.publish(START + 2_000);
  expect(published.puts).toBe(3);
  await publisher.publish(START + 30_000);
  expect(published.puts).toBe(5);
  groups.pop();
  await publisher.publish(START + 32_000);
  expect(await shownAt(START + 32_000).groups(DEFAULT_TENANT)).toEqual([]);
});

test("a group that another process evaluates is told of by that one", async () => {
  const group = new RulesTestBed().group(RULE);
  group.isElsewhere = true;
  const { published, publisher, shownAt } = publishing([group]);
  await publisher.publish(START);
  expect(published.puts).toBe(1);
  expect(await shownAt(START).groups(DEFAULT_TENANT)).toEqual([]);
});

test("rules of those who fell silent are shown no more", async () => {
  const { publisher, shownAt } = publishing([new RulesTestBed().group(RULE)]);
  await publisher.publish(START);
  expect(await shownAt(START + 59_000).groups(DEFAULT_TENANT)).toHaveLength(1);
  expect(await shownAt(START + 61_000).groups(DEFAULT_TENANT)).toEqual([]);
});
