import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { assertNothingIsGone, rememberDirectories } from "./data-layout-guard.ts";

const dir = mkdtempSync(join(tmpdir(), "sightline-layout-"));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("a new data directory has nothing to miss", () => {
  assertNothingIsGone(dir);
});

test("a directory that is gone is named; an empty one in its place is somebody's decision", async () => {
  for (const name of ["metrics", "logs"]) mkdirSync(join(dir, name), { recursive: true });
  await rememberDirectories(dir, ["metrics", "logs", "dead-letters"]);
  assertNothingIsGone(dir);
  rmSync(join(dir, "logs"), { recursive: true });
  expect(() => assertNothingIsGone(dir)).toThrow(`${join(dir, "logs")} is gone`);
  mkdirSync(join(dir, "logs"));
  assertNothingIsGone(dir);
});
