import { readFileSync } from "node:fs";
import { InvalidInputError, UnavailableError } from "@sightline/model/errors.ts";
import { expect, test } from "vitest";
import { startFailure } from "./start-failure.ts";

test.each([
  ["ENOSPC", "free space on the disk of data_dir"],
  ["EACCES", "readable and writable"],
  ["EWHATEVER", "data_dir"],
])("%s is told with what to do", (code, fix) => {
  const error = Object.assign(new Error(`${code}: open '/data/lock'`), { code, errno: -1, syscall: "open" });
  const told = startFailure(error) as UnavailableError;
  expect(told).toBeInstanceOf(UnavailableError);
  expect(told.message).toContain("/data/lock");
  expect(told.message).toContain(fix);
  expect(told.cause).toBe(error);
});

test("the system's own errors are recognised, bugs and errors that say enough are left as they are", () => {
  const missing = () => readFileSync("/no/such/file");
  let error: unknown;
  try {
    missing();
  } catch (cause) {
    error = cause;
  }
  expect(startFailure(error)).toBeInstanceOf(UnavailableError);
  for (const other of [new TypeError("x is not a function"), new InvalidInputError("no"), "text"]) {
    expect(startFailure(other)).toBe(other);
  }
});
