import { expect, test } from "vitest";
import { ownerOf } from "./owner-of.ts";

const groups = Array.from({ length: 300 }, (_, i) => `default;rules.yml;group ${i}`);
const members = ["a", "b", "c"];

test("every member has about as much as the others, in whatever order they are named", () => {
  const owned = Map.groupBy(groups, (group) => ownerOf(group, members));
  for (const member of members) expect(Math.abs((owned.get(member)?.length ?? 0) - 100)).toBeLessThan(30);
  for (const group of groups) expect(ownerOf(group, members)).toBe(ownerOf(group, members.toReversed()));
});

test("when a member goes the others keep what they have", () => {
  for (const group of groups) {
    const before = ownerOf(group, members);
    if (before !== "b") expect(ownerOf(group, ["a", "c"])).toBe(before);
  }
  expect(ownerOf("group", [])).toBeUndefined();
});
