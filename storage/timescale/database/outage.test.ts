import { UnavailableError } from "@sightline/model/errors.ts";
import { expect, test } from "vitest";
import { asDatabaseError } from "./database-error.ts";
import { Outage } from "./outage.ts";

const LONG_MS = 3_600_000;
const NEVER = new AbortController().signal;
const failure = (code: string, message = "") =>
  asDatabaseError(Object.assign(new Error(message), { code }), "reading", { isRead: true });
const REFUSED = failure("ECONNREFUSED");

function outage(maxMs: number) {
  const results: string[] = [];
  return { results, outage: new Outage(maxMs, (result) => results.push(result)) };
}

test.each([
  ["refuses connections", REFUSED, true],
  [
    "refuses all addresses of its name",
    asDatabaseError(new AggregateError([Object.assign(new Error(), { code: "ECONNREFUSED" })]), "reading", {
      isRead: true,
    }),
    true,
  ],
  ["shuts down", failure("57P01"), true],
  ["starts", failure("57P03"), true],
  ["broke off", failure("", "Connection terminated unexpectedly"), true],
  ["is away, as somebody else says", new UnavailableError("writing", { cause: REFUSED, retryAfterMs: 1 }), true],
  ["has no connection to spare", failure("53300"), false],
  ["has all connections in use", failure("", "timeout exceeded when trying to connect"), false],
  ["took too long", failure("57014"), false],
  ["refuses the statement", failure("42601"), false],
])("a server that %s", async (_, error, isWaitedFor) => {
  expect(await outage(LONG_MS).outage.patience(NEVER).allows(error)).toBe(isWaitedFor);
});

test("in a long outage those who come later fail at once, until the server has answered somebody", async () => {
  const { outage: long, results } = outage(1);
  const first = long.patience(NEVER);
  while (await first.allows(REFUSED));
  expect(results).toEqual(["failed"]);
  expect(await long.patience(NEVER).allows(REFUSED)).toBe(false);
  expect(results).toEqual(["failed"]);
  long.end();
  const next = long.patience(NEVER);
  expect(await next.allows(REFUSED)).toBe(true);
  next.answered();
  expect(results).toEqual(["failed", "answered"]);
});

test("nobody waits longer than that, even if others are answered meanwhile", async () => {
  const { outage: odd } = outage(20);
  const unlucky = odd.patience(NEVER);
  while (await unlucky.allows(REFUSED)) odd.end();
});

test("a client that goes away ends its wait, and a stop everybody's", async () => {
  const { outage: one } = outage(LONG_MS);
  const client = new AbortController();
  const left = one.patience(client.signal).allows(REFUSED);
  client.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
  const stopped = one.patience(NEVER).allows(REFUSED);
  one.stop();
  expect(await stopped).toBe(false);
});
