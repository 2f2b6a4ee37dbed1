import { expect, test } from "vitest";
import { Membership } from "./membership.ts";
import { Outbox } from "./outbox.ts";

const member = (name: string) => ({ name, address: `${name}:1` });

test("the place of a replica is among those that were heard of lately, by name", () => {
  const membership = new Membership(member("B"), 100);
  expect(membership.position(0)).toBe(0);
  expect(membership.heardFrom(member("A"), 0)).toBe(true);
  expect(membership.heardFrom(member("C"), 50)).toBe(true);
  expect(membership.heardFrom(member("A"), 60)).toBe(false);
  expect(membership.position(100)).toBe(1);
  expect(membership.alive(155).map(({ name }) => name)).toEqual(["A", "B"]);
  expect(membership.position(161)).toBe(0);
  expect(membership.heardFrom(member("A"), 200)).toBe(true);
  membership.left("A");
  expect(membership.alive(200).map(({ name }) => name)).toEqual(["B"]);
});

test("one that was restarted at its address takes the place of what it was", () => {
  const membership = new Membership(member("B"), 100);
  membership.heardFrom(member("A"), 0);
  expect(membership.position(1)).toBe(1);
  expect(membership.heardFrom({ name: "C", address: "A:1" }, 1)).toBe(true);
  expect(membership.alive(1).map(({ name }) => name)).toEqual(["B", "C"]);
});

test("it does not meet itself, and forgets those that stay away", () => {
  const membership = new Membership(member("B"), 100);
  expect(membership.heardFrom(member("B"), 0)).toBe(false);
  expect(membership.isUnknown(member("A"))).toBe(true);
  membership.heardFrom(member("A"), 0);
  expect(membership.isUnknown(member("A"))).toBe(false);
  membership.forget(1_000, 1_001);
  expect(membership.others).toEqual([]);
});

test("an outbox gives messages of bounded size, in order, and drops what does not fit", () => {
  const outbox = new Outbox(2_000);
  const update = (count: number) => ({
    tenant: "t",
    silences: [],
    alerts: [],
    notifications: Array(count).fill({ groupKey: "" }),
  });
  expect([600, 600, 600, 600].map((count) => outbox.add(update(count)))).toEqual([true, true, true, false]);
  expect(outbox.dropped).toBe(600);
  expect(outbox.take()).toHaveLength(1);
  expect(outbox.take()).toHaveLength(1);
  expect(outbox.take()).toHaveLength(1);
  expect(outbox.isEmpty).toBe(true);
});
