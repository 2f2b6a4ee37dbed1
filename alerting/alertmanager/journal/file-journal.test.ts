import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { afterAll, expect, test } from "vitest";
import { FileJournal } from "./file-journal.ts";

type Item = { readonly key: string; readonly value: string };
const dir = mkdtempSync(join(tmpdir(), "sightline-journal-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function open(path: string) {
  const items = new Map<string, string>();
  const journal = new FileJournal<Item>({
    path,
    logger: SILENT_LOGGER,
    replay: ({ key, value }) => items.set(key, value),
    snapshot: () => [...items].map(([key, value]) => ({ key, value })),
  });
  await journal.start();
  const set = (key: string, value: string) => {
    items.set(key, value);
    return journal.append({ key, value });
  };
  return { items, journal, set };
}

test("what was appended is there again, in order", async () => {
  const path = join(dir, "order");
  const first = await open(path);
  await Promise.all([first.set("a", "1"), first.set("b", "2"), first.set("a", "3\n€")]);
  await first.journal.stop();
  const second = await open(path);
  expect([...second.items]).toEqual([
    ["a", "3\n€"],
    ["b", "2"],
  ]);
  await second.journal.stop();
});

test("a line that a crash cut off goes, and what comes after it is kept", async () => {
  const path = join(dir, "torn");
  const first = await open(path);
  await first.set("a", "1");
  await first.journal.stop();
  appendFileSync(path, '0123abcd {"key":"b","va');
  const second = await open(path);
  await second.set("c", "3");
  await second.journal.stop();
  const third = await open(path);
  expect([...third.items.keys()]).toEqual(["a", "c"]);
  await third.journal.stop();
});

test("a damaged line is left out, the others are kept", async () => {
  const path = join(dir, "damaged");
  const first = await open(path);
  await first.set("a", "1");
  await first.set("b", "2");
  await first.journal.stop();
  writeFileSync(path, readFileSync(path, "utf8").replace('"value":"1"', '"value":"9"'));
  const second = await open(path);
  expect([...second.items.keys()]).toEqual(["b"]);
  await second.journal.stop();
});

test("it is written anew when most of it is out of date, and loses nothing", async () => {
  const path = join(dir, "anew");
  const first = await open(path);
  const value = "x".repeat(10_000);
  for (let round = 0; round < 300; round++) await first.set(`k${round % 3}`, `${round}${value}`);
  await first.journal.stop();
  expect(statSync(path).size).toBeLessThan(1_200_000);
  const second = await open(path);
  expect([...second.items.values()].map((text) => Number.parseInt(text, 10))).toEqual([297, 298, 299]);
  await second.journal.stop();
});
