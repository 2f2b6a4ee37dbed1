import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { append, bodies, on, T } from "@sightline/storage-conformance/log-store-fixture.ts";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { embeddedLogsConfig } from "../config.ts";
import { BLOCK_ROWS } from "../segments/block-grams.ts";
import { EmbeddedLogStore } from "./embedded-log-store.ts";

const ROWS = 5 * BLOCK_ROWS;
let dir: string;
let store: EmbeddedLogStore;

async function opened(): Promise<EmbeddedLogStore> {
  const config = embeddedLogsConfig.parse({ compaction: { target_rows: ROWS }, flush: { max_rows: 2 * ROWS } });
  const opening = new EmbeddedLogStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
  await opening.start();
  return opening;
}

const filters = async () => (await readdir(join(dir, "segments"))).filter((name) => name.endsWith(".blocks"));
const filterBytes = () => store.memoryParts.find(({ name }) => name === "logs_block_filters")?.memoryBytes();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "logs-"));
  store = await opened();
  const rows = Array.from({ length: ROWS }, (_, i) => ({ timeNs: T + BigInt(i), body: `line ${i}` }));
  for (const i of [3 * BLOCK_ROWS, 3 * BLOCK_ROWS + 7, ROWS - 1]) (rows[i] as { body: string }).body = `needle ${i}`;
  (rows[5] as { body: string }).body = "a pin";
  await append(store, rows);
  await store.flush();
});

afterAll(async () => {
  await store.stop();
  await rm(dir, { recursive: true });
});

const NEEDLES = [3 * BLOCK_ROWS, 3 * BLOCK_ROWS + 7, ROWS - 1].map((i) => `needle ${i}`);
const find = (op: "|=" | "|~" | "!=", text: string) => bodies(store, { line: [{ op, text }], limit: ROWS });

test("a file at rest is given a filter, with which the same is found", async () => {
  expect(await filters()).toHaveLength(0);
  expect(await find("|=", "needle")).toEqual(NEEDLES);
  expect(filterBytes()).toBe(0);
  await store.maintain();
  expect(await filters()).toHaveLength(1);
  expect(await find("|=", "needle")).toEqual(NEEDLES);
  expect(filterBytes()).toBeGreaterThan(0);
});

test.each([
  ["|=", "needle 49152", NEEDLES.slice(0, 1)],
  ["|~", "n[aeiou]edle [0-9]+7$", []],
  ["|~", "needle [0-9]+9$", NEEDLES.filter((text) => text.endsWith("9"))],
  ["|=", "a pin", ["a pin"]],
  ["|=", "line 70000", ["line 70000"]],
  ["|=", "needles", []],
] as const)("%s %s finds what is there", async (op, text, want) => {
  expect(await find(op, text)).toEqual(want);
  await store.fillRowCache();
  expect(await find(op, text)).toEqual(want);
});

test("what is left out of a filter by negation is found", async () => {
  expect(await find("!=", "needle")).toHaveLength(ROWS - NEEDLES.length);
});

test("a damaged filter is not used, and made anew", async () => {
  const [name] = await filters();
  const path = join(dir, "segments", name as string);
  await store.stop();
  const bytes = await readFile(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  await writeFile(path, bytes);
  store = await opened();
  expect(await find("|=", "needle")).toEqual(NEEDLES);
  expect(await filters()).toHaveLength(0);
  await store.maintain();
  expect(await filters()).toHaveLength(1);
  expect(await find("|=", "needle")).toEqual(NEEDLES);
});

test("rows that were deleted are not found with it", async () => {
  const range = { startNs: T + BigInt(3 * BLOCK_ROWS), endNs: T + BigInt(3 * BLOCK_ROWS + 1) };
  const request = { tenant: DEFAULT_TENANT, range, matchers: [], line: [], attributes: [], description: "" };
  await store.deleteRows(request, on);
  expect(await find("|=", "needle")).toEqual(NEEDLES.slice(1));
});
