import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UnavailableError } from "@sightline/model/errors.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { entries, names, request, SEGMENT_BYTES, TestLog, texts } from "../testing/test-log.ts";
import { DISK_FILES } from "./wal-files.ts";

let at: TestLog;
beforeEach(() => {
  at = new TestLog();
});
afterEach(() => at.dispose());

describe("appending and reading", () => {
  test("requests come back as they were, in order, from any position on", async () => {
    const log = await at.open();
    const positions = await Promise.all(names("r", 50).map((name) => log.append(request(name))));
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(new Set(positions).size).toBe(50);
    const all = await entries(log);
    expect(all.map(({ position }) => position)).toEqual(positions);
    expect({ ...all[7]?.request, body: String(all[7]?.request.body) }).toEqual({ ...request("r7"), body: "r7" });
    expect(await texts(log, positions[30])).toEqual(names("r", 50).slice(30));
    expect(log.lastPosition).toBe(positions[49]);
  });

  test("appends settle in the order in which they were made", async () => {
    const log = await at.open();
    const settled: string[] = [];
    await Promise.all(names("r", 200).map((name) => log.append(request(name)).then(() => settled.push(name))));
    expect(settled).toEqual(names("r", 200));
  });

  test.each([true, false])("segments fill up and are left (preallocate %s)", async (preallocate) => {
    const log = await at.open({ config: { preallocate } });
    const wanted = names("r", 100);
    for (const name of wanted) await log.append(request(`${name}:${"x".repeat(5_000)}`));
    expect(at.segments().length).toBeGreaterThan(5);
    expect(await texts(log)).toEqual(wanted);
    await log.stop();
    const again = await at.open({ config: { preallocate } });
    expect(await texts(again)).toEqual(wanted);
    expect(await at.damage("corrupt")).toBe(0);
    expect(await at.damage("torn")).toBe(0);
  });

  test("a request larger than a segment gets one of its own", async () => {
    const log = await at.open();
    await log.append(request("a"));
    await log.append(request(`b:${"x".repeat(3 * SEGMENT_BYTES)}`));
    await log.append(request("c"));
    expect(at.segments()).toHaveLength(3);
    expect(await texts(log)).toEqual(["a", "b", "c"]);
  });

  test("many requests share one sync", async () => {
    let syncs = 0;
    const sync = (fd: number) => {
      syncs++;
      return DISK_FILES.sync(fd);
    };
    const files = { ...DISK_FILES, sync };
    const log = await at.open({ files });
    await log.append(request("first"));
    syncs = 0;
    await Promise.all(names("r", 100).map((name) => log.append(request(name))));
    expect(syncs).toBeLessThanOrEqual(2);
  });
});

describe("giving space back", () => {
  test("whole segments below the position go, and positions go on although none is left", async () => {
    const log = await at.open();
    let last = 0;
    for (const name of names("r", 60)) last = await log.append(request(`${name}:${"x".repeat(4_000)}`));
    const before = at.segments().length;
    await log.truncateBefore(last + 1);
    expect(before).toBeGreaterThan(3);
    expect(at.segments()).toHaveLength(1);
    expect(log.bytes).toBeLessThan(SEGMENT_BYTES);
    await log.stop();
    for (const file of at.segments()) rmSync(join(at.dir, file));
    const again = await at.open();
    expect(again.replayFrom).toBe(last + 1);
    expect(await texts(again, again.replayFrom)).toEqual([]);
    expect(await again.append(request("next"))).toBeGreaterThan(last);
  });

  test("positions ascend even when the directory was removed", async () => {
    const log = await at.open();
    const last = await log.append(request("a"));
    await log.stop();
    rmSync(at.dir, { recursive: true });
    expect(await (await at.open()).append(request("b"))).toBeGreaterThan(last);
  });

  test("positions ascend over restarts in quick succession, also past a torn end", async () => {
    let last = 0;
    for (let run = 0; run < 5; run++) {
      const log = await at.open();
      for (const name of names("r", 20)) {
        const position = await log.append(request(name));
        expect(position).toBeGreaterThan(last);
        last = position;
      }
      await log.stop();
      const newest = at.segments().at(-1) as string;
      writeFileSync(join(at.dir, newest), readFileSync(join(at.dir, newest)).subarray(0, -1));
    }
  });

  test("used segments are written again without their old records showing", async () => {
    const log = await at.open({ config: { preallocate: true } });
    let wanted: string[] = [];
    for (let round = 0; round < 8; round++) {
      wanted = names(`round${round}-`, 33);
      let first = 0;
      for (const name of wanted) {
        const position = await log.append(request(`${name}:${"x".repeat(2_000 + round * 100)}`));
        first ||= position;
      }
      await log.truncateBefore(first);
      expect(await texts(log, first)).toEqual(wanted);
    }
    await log.stop();
    const again = await at.open({ config: { preallocate: true } });
    expect(await texts(again, again.replayFrom)).toEqual(wanted);
    expect(await at.damage("corrupt")).toBe(0);
    expect(await at.damage("torn")).toBe(0);
  });

  test("a full log refuses with the setting's name and takes requests again when it has room", async () => {
    const log = await at.open({ config: { max_bytes: 2 * SEGMENT_BYTES } });
    let last = 0;
    const fill = async () => {
      for (let i = 0; i < 100; i++) last = await log.append(request("x".repeat(4_000)));
    };
    await expect(fill()).rejects.toThrow(/collector\.wal\.max_bytes/);
    await expect(log.append(request("x".repeat(4_000)))).rejects.toBeInstanceOf(UnavailableError);
    expect(log.bytes).toBeLessThanOrEqual(2 * SEGMENT_BYTES);
    await log.truncateBefore(last + 1);
    await log.append(request("x".repeat(4_000)));
  });
});
