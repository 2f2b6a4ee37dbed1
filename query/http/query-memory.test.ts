import { expect, test } from "vitest";
import { QueryMemory } from "./query-memory.ts";

test("counts what all queries hold until they end", () => {
  const memory = new QueryMemory(100);
  const [first, second] = [memory.open(), memory.open()];
  first.hold(40);
  second.hold(50);
  first.release(10);
  expect(memory.memoryPart.memoryBytes()).toBe(80);
  second.close();
  second.close();
  expect(memory.bytes).toBe(30);
});

test("says whether it is too much at all or only now", () => {
  const memory = new QueryMemory(100);
  const [first, second] = [memory.open(), memory.open()];
  first.hold(60);
  expect(() => second.hold(50)).toThrow(expect.objectContaining({ name: "UnavailableError" }));
  second.close();
  expect(() => first.hold(50)).toThrow(/^the query would hold more than 100 bytes in memory \(query\.max_memory\)/);
  first.close();
  expect(memory.bytes).toBe(0);
});
