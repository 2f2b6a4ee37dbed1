import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "@sightline/config/schema.ts";
import { type Logger, SILENT_LOGGER } from "@sightline/model/logger.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WarmUp } from "./warm-up.ts";

let temporary = "";
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), "warm-up-test-"));
  vi.stubEnv("TMPDIR", temporary);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true });
});

function warmUpOf(messages: string[], options: { readonly maxDelayMs: number; readonly rounds?: number }): WarmUp {
  const logger: Logger = {
    ...SILENT_LOGGER,
    info: (message) => messages.push(message),
    warn: (message, fields) => messages.push(`${message}: ${fields?.error}`),
  };
  return new WarmUp({ config: configSchema.parse({}), logger, ...options });
}

test("all questions are answered, and nothing is left behind", { timeout: 30_000 }, async () => {
  const messages: string[] = [];
  const warmUp = warmUpOf(messages, { maxDelayMs: 20_000, rounds: 1 });
  await warmUp.start();
  expect(messages).toEqual(["warmed up"]);
  expect(readdirSync(temporary)).toEqual([]);
  await warmUp.stop();
});

test("a start waits no longer than it is told to, and a stop ends it", { timeout: 30_000 }, async () => {
  const messages: string[] = [];
  const warmUp = warmUpOf(messages, { maxDelayMs: 1 });
  await warmUp.start();
  expect(messages).toEqual([]);
  await warmUp.stop();
  expect(messages).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
});
