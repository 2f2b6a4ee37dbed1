import type { FastifyRequest } from "fastify";
import { expect, test } from "vitest";
import { looksCostly } from "./expected-cost.ts";
import { RequestParameters } from "./request-parameters.ts";

const parametersOf = (text: string) => new RequestParameters({ url: `/?${text}` } as FastifyRequest);

test.each([
  ["an instant", "query=up&time=1700000000", false],
  ["a few steps", "start=1700000000&end=1700003600&step=15", false],
  ["many steps", "start=1700000000&end=1700003600&step=1", true],
  ["many steps by a duration", "start=2023-11-14T00:00:00Z&end=2023-11-15T00:00:00Z&step=1m", true],
  ["few steps between times in nanoseconds", "start=1700000000000000000&end=1700003600000000000&step=60s", false],
  ["many steps between them", "start=1700000000000000000&end=1700003600000000000&step=1s", true],
  ["no times", "start=x&end=y&step=1", false],
])("%s of a query nobody knows", (_, text, want) => {
  expect(looksCostly(parametersOf(text), undefined)).toBe(want);
});

test.each([
  ["reads few samples, though it took long", { samples: 1_000, ms: 5_000 }, false],
  ["reads many", { samples: 5_000_000, ms: 10 }, true],
  ["reads none, and took long", { samples: 0, ms: 5_000 }, true],
  ["reads none, and is quick", { samples: 0, ms: 5 }, false],
])("a known query that %s", (_, typical, want) => {
  expect(looksCostly(parametersOf("start=1700000000&end=1700003600&step=1"), typical)).toBe(want);
});
