import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DuckDatabase } from "./duck-database.ts";
import { packColumn } from "./packed-column.ts";
import { WriteThread } from "./write-thread.ts";

let dir: string;
let thread: WriteThread;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "write-thread-"));
  thread = new WriteThread({ dir, temporary: "writer", memoryLimitBytes: 2 ** 26, threads: 1 });
});
afterEach(async () => {
  await thread.close();
  await rm(dir, { recursive: true, force: true });
});

async function write(texts: readonly (string | null)[], path = `${dir}/rows.parquet`): Promise<void> {
  await thread.request({ kind: "begin", columns: [{ name: "a", type: "VARCHAR" }] });
  await thread.request({ kind: "chunk", rows: texts.length, columns: [packColumn("VARCHAR", texts)] });
  await thread.request({ kind: "copy", sql: `COPY (FROM staged) TO '${path}' (FORMAT parquet)` });
}

async function readBack(): Promise<unknown[]> {
  const database = await DuckDatabase.open({ dir, temporary: "tmp", memoryLimitBytes: 2 ** 26, threads: 1 });
  const rows: unknown[] = [];
  for await (const chunk of database.stream(`FROM '${dir}/rows.parquet'`, [], new AbortController().signal)) {
    rows.push(...chunk.getColumnValues(0));
  }
  database.close();
  return rows;
}

test("writes what it was given, and no more of it after a failure or a new beginning", async () => {
  await write(["lost"], `${dir}/no-such-directory/rows.parquet`).then(
    () => expect.unreachable(),
    (error: Error) => expect(error.message).toContain("no-such-directory"),
  );
  await thread.request({ kind: "begin", columns: [{ name: "a", type: "UBIGINT" }] });
  await thread.request({ kind: "chunk", rows: 1, columns: [packColumn("UBIGINT", [7n])] });
  const texts = ["a", null, "a text that is longer than twelve bytes"];
  await write(texts);
  expect(await readBack()).toEqual(texts);
  expect(thread.memoryBytes).toBe(0);
});

test("a directory that is away is not made anew, and is used once it is back", async () => {
  await rm(dir, { recursive: true });
  await expect(write(["lost"])).rejects.toThrow(/ENOENT.*writer/);
  expect(existsSync(dir)).toBe(false);
  await mkdir(dir);
  await vi.waitFor(() => write(["kept"]), { timeout: 30_000 });
  expect(await readBack()).toEqual(["kept"]);
});

test("can touch nothing outside its directory", async () => {
  await expect(write(["a"], `${dir}-outside.parquet`)).rejects.toThrow("disabled by configuration");
});

test("after it was closed the next request starts another", async () => {
  await write(["first"]);
  await thread.close();
  await write(["second"]);
  expect(await readBack()).toEqual(["second"]);
});

test("after it was closed another may have its worker, and can touch nothing of the first", async () => {
  await write(["first"]);
  await thread.close();
  const other = await mkdtemp(join(tmpdir(), "write-thread-"));
  const second = new WriteThread({ dir: other, temporary: "writer", memoryLimitBytes: 2 ** 26, threads: 1 });
  try {
    const copy = (path: string) => second.request({ kind: "execute", sql: `COPY (SELECT 1) TO '${path}/one.parquet'` });
    await copy(other);
    await expect(copy(dir)).rejects.toThrow("disabled by configuration");
  } finally {
    await second.close();
    await rm(other, { recursive: true });
  }
  expect(await readBack()).toEqual(["first"]);
});
