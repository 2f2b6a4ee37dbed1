import { InvalidInputError } from "@sightline/model/errors.ts";
import { expect, test } from "vitest";
import { asDatabaseError } from "./database-error.ts";

const failed = (message: string, code?: string) => Object.assign(new Error(message), { code });
const WRITE = { isRead: false };

test.each([
  ["a refused connection", failed("connect ECONNREFUSED 127.0.0.1:1", "ECONNREFUSED")],
  ["a broken connection", failed("Connection terminated unexpectedly")],
  ["a pool without a free connection", failed("timeout exceeded when trying to connect")],
  ["a deadlock", failed("deadlock detected", "40P01")],
  ["too many connections", failed("sorry, too many clients already", "53300")],
  ["a full disk", failed("could not extend file", "53100")],
  ["a server that shuts down", failed("terminating connection", "57P01")],
  ["a replica", failed("cannot execute INSERT in a read-only transaction", "25006")],
  ["a wrong password, which somebody may mend", failed("password authentication failed", "28P01")],
  ["a write that takes too long", failed("canceling statement due to statement timeout", "57014")],
])("after %s the same can be tried again", (_, error) => {
  expect(asDatabaseError(error, "writing", WRITE)).toMatchObject({
    name: "UnavailableError",
    message: expect.stringContaining("PostgreSQL: writing: "),
    cause: error,
  });
});

test("a read that takes too long names the setting", () => {
  const error = failed("canceling statement due to statement timeout", "57014");
  const mapped = asDatabaseError(error, "reading", { isRead: true });
  expect(mapped).toMatchObject({ name: "TimeoutError", message: expect.stringContaining("read_timeout") });
});

test.each([failed("syntax error", "42601"), new TypeError("a bug"), new InvalidInputError("a regex")])(
  "%s stays what it is",
  (error) => {
    expect(asDatabaseError(error, "reading", WRITE)).toBe(error);
  },
);
