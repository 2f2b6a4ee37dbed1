import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "@sightline/config/schema.ts";
import { UnauthenticatedError } from "@sightline/model/errors.ts";
import { type Logger, SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { EmbeddedLogStore } from "@sightline/storage-embedded/logs/embedded-log-store.ts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { madeUpLogStore } from "./made-up-log-store.ts";
import { madeUpStore } from "./made-up-store.ts";
import { TokenAuthenticator } from "./token-authenticator.ts";
import { WarmUp, type WarmUpOptions } from "./warm-up.ts";

/** For what takes some seconds, unless the machine has much else to do. */
const LONG_MS = 100_000;
const ANY_TIME = { next: async () => {} };

let temporary = "";
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), "warm-up-test-"));
  vi.stubEnv("TMPDIR", temporary);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true });
});

function warmUpOf(
  messages: string[],
  options: Pick<WarmUpOptions, "gate" | "logs" | "maxDelayMs" | "maxStoredMs" | "rounds" | "store">,
  config = configSchema.parse({}),
): WarmUp {
  const logger: Logger = {
    ...SILENT_LOGGER,
    info: (message) => messages.push(message),
    warn: (message, fields) => messages.push(`${message}: ${fields?.error}`),
  };
  return new WarmUp({ config, logger, ...options });
}

test("all questions are answered, and nothing is left behind", async () => {
  const messages: string[] = [];
  const warmUp = warmUpOf(messages, { maxDelayMs: LONG_MS, rounds: 1 });
  await warmUp.start();
  expect(messages).toEqual(["warmed up"]);
  expect(readdirSync(temporary)).toEqual([]);
  await warmUp.stop();
});

test("a start waits no longer than it is told to, and a stop ends it", async () => {
  const messages: string[] = [];
  const warmUp = warmUpOf(messages, { maxDelayMs: 1 });
  await warmUp.start();
  expect(messages).toEqual([]);
  await warmUp.stop();
  expect(messages).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
});

test("what is stored is asked about, too", async () => {
  const messages: string[] = [];
  const store = await madeUpStore(join(temporary, "store"), { config: configSchema.parse({}), turns: ANY_TIME });
  const select = vi.spyOn(store, "select");
  const warmUp = warmUpOf(messages, { maxDelayMs: LONG_MS, maxStoredMs: LONG_MS, rounds: 1, store });
  await warmUp.start();
  await warmUp.stop();
  await store.stop();
  expect(messages).toEqual(["warmed up"]);
  const asked = new Set(select.mock.calls.flatMap(([{ matchers }]) => matchers.map(({ value }) => value)));
  expect([...asked]).toEqual(expect.arrayContaining(["http_requests_total", "http_request_duration_seconds_bucket"]));
});

test.each([
  ["embedded", 1],
  ["opensearch", 0],
] as const)(
  "stored logs are asked about, too, and a small store is made up where queries read one (%s)",
  async (kind, made) => {
    const messages: string[] = [];
    const config = configSchema.parse({ storage: { logs: { kind } } });
    const logs = await madeUpLogStore(join(temporary, "store"), { config, turns: ANY_TIME });
    const select = vi.spyOn(logs, "select");
    const streams = vi.spyOn(logs, "streams");
    const start = vi.spyOn(EmbeddedLogStore.prototype, "start");
    const warmUp = warmUpOf(messages, { maxDelayMs: LONG_MS, maxStoredMs: LONG_MS, rounds: 1, logs }, config);
    await warmUp.start();
    await warmUp.stop();
    await logs.stop();
    expect(messages).toEqual(["warmed up"]);
    expect(select.mock.calls.map(([{ matchers }]) => matchers[0]?.name)).toContain("service_name");
    expect(streams).toHaveBeenCalled();
    expect(start).toHaveBeenCalledTimes(made);
    start.mockRestore();
  },
);

test("nothing is asked while others ask", async () => {
  const messages: string[] = [];
  let looks = 0;
  let idleMs = 0;
  const gate = {
    get idleMs() {
      looks++;
      return idleMs;
    },
  };
  const warmUp = warmUpOf(messages, { maxDelayMs: 1, rounds: 1, gate });
  await warmUp.start();
  // Every question waits for a look that finds nobody.
  await vi.waitFor(() => expect(looks).toBeGreaterThan(20), { timeout: LONG_MS });
  expect(messages).toEqual([]);
  idleMs = Number.POSITIVE_INFINITY;
  await vi.waitFor(() => expect(messages).toEqual(["warmed up"]), { timeout: LONG_MS });
  await warmUp.stop();
});

test("a stop ends it while it waits for others", async () => {
  const messages: string[] = [];
  const warmUp = warmUpOf(messages, { maxDelayMs: 1, rounds: 1, gate: { idleMs: 0 } });
  await warmUp.start();
  await warmUp.stop();
  expect(messages).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
});

test("only who has the token may read", () => {
  const authenticator = new TokenAuthenticator("secret", DEFAULT_TENANT);
  expect(authenticator.authenticate({ authorization: "Bearer secret" })).toEqual({ tenant: DEFAULT_TENANT });
  for (const headers of [{}, { authorization: "Bearer other" }, { "x-scope-orgid": DEFAULT_TENANT }]) {
    expect(() => authenticator.authenticate(headers)).toThrow(UnauthenticatedError);
  }
});
