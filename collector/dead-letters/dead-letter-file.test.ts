import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CorruptionError, NotFoundError, UnavailableError } from "@sightline/model/errors.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import type { WireRequest } from "@sightline/proto/wire-request.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { collectorConfig } from "../config.ts";
import { letterPath, listDeadLetters, readDeadLetter, removeDeadLetter } from "./dead-letter-file.ts";
import { DeadLetters } from "./dead-letters.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "collector-letters-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

function letters(maxBytes: number | string = "1MiB"): DeadLetters {
  const { dead_letters: config } = collectorConfig.parse({ dead_letters: { max_bytes: maxBytes } });
  return new DeadLetters({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
}

function request(body: string): WireRequest {
  return {
    tenant: tenantId("shop"),
    protocol: "otlp-logs-json",
    encoding: "gzip",
    receivedAtMs: 1_700_000_000_000,
    body: Buffer.from(body),
  };
}

async function list() {
  const all = [];
  for await (const letter of listDeadLetters(dir)) all.push(letter);
  return all;
}

test("letters are listed in order, read back as they were, and removed", async () => {
  const log = letters();
  for (const [i, body] of ["one\ntwo", "", "\u{1f4e8}"].entries()) {
    await log.add(request(body), 10 + i, "refused", new Error(`number ${i}\n"quoted"`));
  }
  const [first, second, third] = await list();
  expect(first).toMatchObject({ reason: "refused", message: 'number 0\n"quoted"', position: 10, bodyBytes: 7 });
  const read = await readDeadLetter(dir, first?.id as string);
  expect(read.letter).toEqual(first);
  expect({ ...read.request, body: String(read.request.body) }).toEqual({ ...request("one\ntwo"), body: "one\ntwo" });
  expect((await readDeadLetter(dir, second?.id as string)).request.body).toHaveLength(0);
  await removeDeadLetter(dir, first?.id as string);
  await removeDeadLetter(dir, second?.id as string);
  expect(await list()).toEqual([third]);
});

test("a directory that is not there holds none", async () => {
  rmSync(dir, { recursive: true });
  expect(await list()).toEqual([]);
  await letters().add(request("a"), 1, "refused", new Error("b"));
  expect(await list()).toHaveLength(1);
});

test.each(["1-1", "../../etc/passwd", ""])("there is no letter %j", async (id) => {
  await expect(readDeadLetter(dir, id)).rejects.toThrow(NotFoundError);
});

test("a flipped byte is noticed", async () => {
  await letters().add(request("body"), 1, "refused", new Error("why"));
  const [letter] = await list();
  const path = letterPath(dir, letter?.id as string);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] = 0;
  writeFileSync(path, bytes);
  await expect(readDeadLetter(dir, letter?.id as string)).rejects.toThrow(CorruptionError);
  writeFileSync(path, "nonsense");
  await expect(list()).rejects.toThrow(CorruptionError);
});

test("beyond its bytes it takes no more, naming the setting, until some are removed", async () => {
  const log = letters(1_000);
  const big = "x".repeat(500);
  await log.add(request(big), 1, "refused", new Error("why"));
  const second = log.add(request(big), 2, "refused", new Error("why"));
  await expect(second).rejects.toThrow(UnavailableError);
  await expect(second).rejects.toThrow(/collector\.dead_letters\.max_bytes/);
  const [letter] = await list();
  await removeDeadLetter(dir, letter?.id as string);
  await log.add(request(big), 2, "refused", new Error("why"));
});
