import { TooManyRequestsError } from "@sightline/model/errors.ts";
import { expect, test } from "vitest";
import { ByteBudget } from "./byte-budget.ts";

test("what is beyond the budget is refused by the name of its setting, and taken once there is room", () => {
  const budget = new ByteBudget(100);
  budget.reserve(60);
  expect(() => budget.reserve(50)).toThrow(/collector\.limits\.max_in_flight_bytes \(100\)/);
  budget.release(60);
  budget.reserve(100);
  expect(budget.usedBytes).toBe(100);
});

test("a place grows within the budget and gives back all of it, once", () => {
  const budget = new ByteBudget(100);
  budget.reserve(10);
  const place = budget.place();
  place.grow(40);
  place.grow(50);
  expect(() => place.grow(1)).toThrow(TooManyRequestsError);
  place.release();
  place.release();
  expect(budget.usedBytes).toBe(10);
});

test("a request that is alone may become larger than the budget", () => {
  const budget = new ByteBudget(100);
  const place = budget.place();
  place.grow(90);
  place.grow(500);
  expect(() => budget.reserve(1)).toThrow(TooManyRequestsError);
});

test("the process' memory is asked, too, and nothing is taken when it says no", () => {
  const asked: number[] = [];
  const admit = (bytes: number) => {
    asked.push(bytes);
    if (bytes > 10) throw new TooManyRequestsError("full", { retryAfterMs: 1 });
  };
  const budget = new ByteBudget(100, { admit });
  budget.reserve(10);
  expect(() => budget.reserve(11)).toThrow("full");
  expect(asked).toEqual([10, 11]);
  expect(budget.usedBytes).toBe(10);
});
