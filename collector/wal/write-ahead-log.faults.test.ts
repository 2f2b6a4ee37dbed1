import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { UnavailableError } from "@sightline/model/errors.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { entries, names, request, SEGMENT_BYTES, TestLog, texts } from "../testing/test-log.ts";
import { DISK_FILES, type WalFiles } from "./wal-files.ts";

let at: TestLog;
beforeEach(() => {
  at = new TestLog();
});
afterEach(() => at.dispose());

describe("damaged files", () => {
  test("whatever of the last record is missing, the others are there and the log goes on", async () => {
    const log = await at.open();
    for (const name of ["a", "b", "last:0123456789"]) await log.append(request(name));
    await log.stop();
    const [file] = at.segments() as [string];
    const whole = readFileSync(join(at.dir, file));
    const recordBytes = 36 + "shop".length + "remote-write-2".length + "snappy".length + "last:0123456789".length;
    for (let cut = 1; cut <= recordBytes; cut++) {
      for (const filler of [Buffer.alloc(0), Buffer.alloc(cut + 100)]) {
        const copy = join(at.root, "copy");
        rmSync(copy, { recursive: true, force: true });
        mkdirSync(copy);
        writeFileSync(join(copy, file), Buffer.concat([whole.subarray(0, -cut), filler]));
        const again = await at.open({ dir: copy });
        expect(await texts(again)).toEqual(["a", "b"]);
        await again.append(request("more"));
        expect(await texts(again)).toEqual(["a", "b", "more"]);
        await again.stop();
        const third = await at.open({ dir: copy });
        expect(await texts(third)).toEqual(["a", "b", "more"]);
        expect(await at.damage("corrupt")).toBe(0);
        await third.stop();
      }
    }
  });

  test("a flipped byte anywhere costs one record, is counted, and nothing else", async () => {
    const log = await at.open();
    const wanted = names("r", 40);
    for (const name of wanted) await log.append(request(`${name}:${"x".repeat(4_000)}`));
    await log.stop();
    const [, second] = at.segments() as [string, string];
    const path = join(at.dir, second);
    const { size } = statSync(path);
    for (const offset of [0, 9, 13, 20, 33, 40, 2_000, size / 2, size - 1].map(Math.floor)) {
      copyFileSync(path, join(at.root, "whole"));
      const bytes = readFileSync(path);
      bytes[offset] = (bytes[offset] as number) ^ 0x10;
      writeFileSync(path, bytes);
      const again = await at.open();
      const found = await texts(again);
      expect(found).toHaveLength(39);
      expect(wanted.filter((name) => !found.includes(name))).toHaveLength(1);
      expect(await at.damage("corrupt")).toBe(1);
      await again.stop();
      copyFileSync(join(at.root, "whole"), path);
    }
  });

  test.each([
    "",
    "{",
    '{"replayFrom":"7"}',
    '{"replayFrom":8795267919325000}',
    '{"replayFrom":8795267919325000,"crc":7}',
  ])("a damaged checkpoint (%j) costs only a longer replay", async (text) => {
    const log = await at.open();
    const [first] = await Promise.all(["a", "b"].map((name) => log.append(request(name))));
    await log.truncateBefore((first as number) + 1);
    await log.stop();
    writeFileSync(join(at.dir, "checkpoint.json"), text);
    const again = await at.open();
    expect(await texts(again, again.replayFrom)).toEqual(["a", "b"]);
  });
});

describe("a disk that refuses", () => {
  /** Real files whose operations fail while a switch is on. */
  function faultyFiles() {
    const faults = { writeRoomBytes: Number.POSITIVE_INFINITY, sync: false, truncate: false };
    const fail = (code: string) => Object.assign(new Error(`${code}: injected`), { code });
    const files: WalFiles = {
      ...DISK_FILES,
      async write(fd, buffers, offset) {
        const all = Buffer.concat(buffers);
        if (faults.writeRoomBytes <= 0) throw fail("ENOSPC");
        const part = all.subarray(0, faults.writeRoomBytes);
        faults.writeRoomBytes -= part.length;
        return DISK_FILES.write(fd, [part], offset);
      },
      async sync(fd) {
        if (faults.sync) throw fail("EIO");
        return DISK_FILES.sync(fd);
      },
      async truncate(fd, length) {
        if (faults.truncate) throw fail("EIO");
        return DISK_FILES.truncate(fd, length);
      },
    };
    return { faults, files };
  }

  test.each([0, 1, 30, 60, 100, 149])(
    "when it is full after %i more bytes, only that request is refused",
    async (room) => {
      const { faults, files } = faultyFiles();
      const log = await at.open({ files });
      await log.append(request("before"));
      faults.writeRoomBytes = room;
      const refused = log.append(request(`refused:${"x".repeat(100)}`));
      await expect(refused).rejects.toThrow(/free space/);
      await expect(refused).rejects.toMatchObject({ name: "UnavailableError", cause: { code: "ENOSPC" } });
      faults.writeRoomBytes = Number.POSITIVE_INFINITY;
      await log.append(request("after"));
      expect(await texts(log)).toEqual(["before", "after"]);
      await log.stop();
      const again = await at.open();
      expect(await texts(again)).toEqual(["before", "after"]);
      expect(await at.damage("corrupt")).toBe(0);
    },
  );

  test("writes that take only part of the bytes are continued", async () => {
    const files: WalFiles = {
      ...DISK_FILES,
      write: (fd, buffers, offset) => DISK_FILES.write(fd, [Buffer.concat(buffers).subarray(0, 7)], offset),
    };
    const log = await at.open({ files });
    await Promise.all(names("r", 20).map((name) => log.append(request(name))));
    expect(await texts(log)).toEqual(names("r", 20));
  });

  test("a failed sync is not acknowledged, and its requests don't come back after a restart", async () => {
    const { faults, files } = faultyFiles();
    const log = await at.open({ files });
    await log.append(request("before"));
    faults.sync = true;
    const results = await Promise.allSettled(names("lost", 5).map((name) => log.append(request(name))));
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
    faults.sync = false;
    await log.append(request("after"));
    expect(await texts(log)).toEqual(["before", "after"]);
    await log.stop();
    expect(await texts(await at.open())).toEqual(["before", "after"]);
  });

  test("when cutting off fails as well, the run that goes on does not show them", async () => {
    const { faults, files } = faultyFiles();
    const log = await at.open({ files });
    await log.append(request("before"));
    faults.sync = true;
    faults.truncate = true;
    await expect(log.append(request("lost"))).rejects.toThrow(UnavailableError);
    faults.sync = false;
    await log.append(request("after"));
    expect(await texts(log)).toEqual(["before", "after"]);
  });

  test("a real file system that is full, and has room again", async (context) => {
    const mount = join(at.root, "tmpfs");
    mkdirSync(mount);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", mount], { stdio: "ignore" });
    } catch {
      context.skip("mounting needs root");
    }
    try {
      const log = await at.open({ dir: join(mount, "wal"), config: { max_bytes: 64 * SEGMENT_BYTES } });
      const kept: string[] = [];
      const fill = async () => {
        for (const name of names("r", 1_000)) {
          await log.append(request(`${name}:${"x".repeat(3_000)}`));
          kept.push(name);
        }
      };
      await expect(fill()).rejects.toThrow(/ENOSPC.*free space/);
      await expect(log.append(request("x".repeat(100_000)))).rejects.toThrow(UnavailableError);
      expect(await texts(log)).toEqual(kept);
      execFileSync("mount", ["-o", "remount,size=4m", mount]);
      await log.append(request("after"));
      await log.stop();
      const again = await at.open({ dir: join(mount, "wal") });
      expect(await texts(again)).toEqual([...kept, "after"]);
      await again.stop();
    } finally {
      execFileSync("umount", [mount]);
    }
  });
});

test("whatever is appended, given back, stopped and crashed: what was acknowledged is there once, in order", async () => {
  type Step =
    | { readonly append: readonly number[] }
    | { readonly truncate: number }
    | { readonly restart: boolean; readonly tornBytes: number };
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ append: fc.array(fc.nat({ max: 30_000 }), { minLength: 1, maxLength: 20 }) }) },
    { weight: 2, arbitrary: fc.record({ truncate: fc.double({ min: 0, max: 1, noNaN: true }) }) },
    { weight: 1, arbitrary: fc.record({ restart: fc.boolean(), tornBytes: fc.nat({ max: 500 }) }) },
  );
  const run = async (preallocate: boolean, steps: readonly Step[]) => {
    rmSync(at.dir, { recursive: true, force: true });
    const config = { preallocate, max_bytes: 64 * 1024 * 1024 };
    let log = await at.open({ config });
    let kept: { position: number; name: string }[] = [];
    let count = 0;
    for (const what of steps) {
      if ("append" in what) {
        const appends = what.append.map(async (size) => {
          const name = `n${count++}`;
          return { name, position: await log.append(request(`${name}:${"x".repeat(size)}`)) };
        });
        kept.push(...(await Promise.all(appends)));
      } else if ("truncate" in what && kept.length > 0) {
        const { position } = kept[Math.floor(what.truncate * (kept.length - 1))] as { position: number };
        await log.truncateBefore(position);
        kept = kept.filter((record) => record.position >= position);
      } else if ("restart" in what) {
        await log.stop();
        const newest = at.segments().at(-1);
        // Half a record, as a crash leaves it behind.
        if (newest && what.restart) appendTorn(newest, what.tornBytes);
        log = await at.open({ config });
      }
      const found = await entries(log, log.replayFrom);
      expect(found.map(({ position }) => position)).toEqual(kept.map(({ position }) => position));
    }
    await log.stop();
  };
  await fc.assert(fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 12 }), run), { numRuns: rounds(15) });
});

/** Only where the file ends with its last record: a preallocated one is not full. */
function appendTorn(file: string, bytes: number): void {
  if (statSync(join(at.dir, file)).size >= SEGMENT_BYTES) return;
  const marker = Buffer.from(file.slice(17, 33), "hex");
  appendFileSync(join(at.dir, file), Buffer.concat([marker, Buffer.alloc(bytes, 1)]));
}

test("after kill -9 every acknowledged request is there, and none twice", async () => {
  const writer = fileURLToPath(new URL("./testdata/append-forever.ts", import.meta.url));
  const acknowledged = new Map<number, string>();
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [writer, at.dir], { stdio: ["ignore", "pipe", "inherit"] });
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [position, name] = line.split(" ") as [string, string];
      acknowledged.set(Number(position), name);
      if (++lines === 400 + round * 137) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  expect(acknowledged.size).toBeGreaterThan(1_000);
  const log = await at.open();
  const found = await entries(log);
  expect(new Set(found.map(({ position }) => position)).size).toBe(found.length);
  const byPosition = new Map(found.map(({ position, request }) => [position, String(request.body).split(":")[0]]));
  for (const [position, name] of acknowledged) expect(byPosition.get(position)).toBe(name);
  expect(await at.damage("corrupt")).toBe(0);
});
