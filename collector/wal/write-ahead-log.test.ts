import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { UnavailableError } from "@sightline/model/errors.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import type { WireRequest } from "@sightline/proto/wire-request.ts";
import fc from "fast-check";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { collectorConfig, type WalConfig } from "../config.ts";
import type { WalEntry } from "./record.ts";
import { DISK_FILES, type WalFiles } from "./wal-files.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

const SEGMENT_BYTES = 64 * 1024;
let root: string;
let dir: string;
let registry: Registry;
const opened: WriteAheadLog[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "collector-wal-"));
  dir = join(root, "wal");
});
afterEach(async () => {
  for (const log of opened.splice(0)) await log.stop();
  rmSync(root, { recursive: true, force: true });
});

async function openLog(options: { config?: Partial<WalConfig>; files?: WalFiles; dir?: string } = {}) {
  registry = new Registry();
  const config = collectorConfig.parse({
    wal: { segment_bytes: SEGMENT_BYTES, preallocate: false, ...options.config },
  });
  const log = new WriteAheadLog({
    dir: options.dir ?? dir,
    config: config.wal,
    logger: SILENT_LOGGER,
    registry,
    ...(options.files ? { files: options.files } : {}),
  });
  await log.start();
  opened.push(log);
  return log;
}

function request(text: string): WireRequest {
  return {
    tenant: tenantId("shop"),
    protocol: "remote-write-2",
    encoding: "snappy",
    receivedAtMs: 1_700_000_000_000,
    body: Buffer.from(text),
  };
}

async function entries(log: WriteAheadLog, from = 0): Promise<WalEntry[]> {
  const all: WalEntry[] = [];
  for await (const entry of log.replay(from)) all.push(entry);
  return all;
}

async function texts(log: WriteAheadLog, from = 0): Promise<string[]> {
  return (await entries(log, from)).map(({ request }) => Buffer.from(request.body).toString().split(":")[0] as string);
}

function segments(): string[] {
  return readdirSync(dir).filter((file) => file.endsWith(".wal"));
}

async function damage(kind: "torn" | "corrupt"): Promise<number> {
  const metric = await registry.getSingleMetric("sightline_wal_damaged_total")?.get();
  return metric?.values.find(({ labels }) => labels.kind === kind)?.value ?? 0;
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe("appending and reading", () => {
  test("requests come back as they were, in order, from any position on", async () => {
    const log = await openLog();
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
    const log = await openLog();
    const settled: string[] = [];
    await Promise.all(names("r", 200).map((name) => log.append(request(name)).then(() => settled.push(name))));
    expect(settled).toEqual(names("r", 200));
  });

  test.each([true, false])("segments fill up and are left (preallocate %s)", async (preallocate) => {
    const log = await openLog({ config: { preallocate } });
    const wanted = names("r", 100);
    for (const name of wanted) await log.append(request(`${name}:${"x".repeat(5_000)}`));
    expect(segments().length).toBeGreaterThan(5);
    expect(await texts(log)).toEqual(wanted);
    await log.stop();
    const again = await openLog({ config: { preallocate } });
    expect(await texts(again)).toEqual(wanted);
    expect(await damage("corrupt")).toBe(0);
    expect(await damage("torn")).toBe(0);
  });

  test("a request larger than a segment gets one of its own", async () => {
    const log = await openLog();
    await log.append(request("a"));
    await log.append(request(`b:${"x".repeat(3 * SEGMENT_BYTES)}`));
    await log.append(request("c"));
    expect(segments()).toHaveLength(3);
    expect(await texts(log)).toEqual(["a", "b", "c"]);
  });

  test("many requests share one sync", async () => {
    let syncs = 0;
    const sync = (fd: number) => {
      syncs++;
      return DISK_FILES.sync(fd);
    };
    const files = { ...DISK_FILES, sync };
    const log = await openLog({ files });
    await log.append(request("first"));
    syncs = 0;
    await Promise.all(names("r", 100).map((name) => log.append(request(name))));
    expect(syncs).toBeLessThanOrEqual(2);
  });
});

describe("giving space back", () => {
  test("whole segments below the position go, and positions go on although none is left", async () => {
    const log = await openLog();
    let last = 0;
    for (const name of names("r", 60)) last = await log.append(request(`${name}:${"x".repeat(4_000)}`));
    const before = segments().length;
    await log.truncateBefore(last + 1);
    expect(before).toBeGreaterThan(3);
    expect(segments()).toHaveLength(1);
    expect(log.bytes).toBeLessThan(SEGMENT_BYTES);
    await log.stop();
    for (const file of segments()) rmSync(join(dir, file));
    const again = await openLog();
    expect(again.replayFrom).toBe(last + 1);
    expect(await texts(again, again.replayFrom)).toEqual([]);
    expect(await again.append(request("next"))).toBeGreaterThan(last);
  });

  test("positions ascend even when the directory was removed", async () => {
    const log = await openLog();
    const last = await log.append(request("a"));
    await log.stop();
    rmSync(dir, { recursive: true });
    expect(await (await openLog()).append(request("b"))).toBeGreaterThan(last);
  });

  test("positions ascend over restarts in quick succession, also past a torn end", async () => {
    let last = 0;
    for (let run = 0; run < 5; run++) {
      const log = await openLog();
      for (const name of names("r", 20)) {
        const position = await log.append(request(name));
        expect(position).toBeGreaterThan(last);
        last = position;
      }
      await log.stop();
      const newest = segments().sort().at(-1) as string;
      writeFileSync(join(dir, newest), readFileSync(join(dir, newest)).subarray(0, -1));
    }
  });

  test("used segments are written again without their old records showing", async () => {
    const log = await openLog({ config: { preallocate: true } });
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
    const again = await openLog({ config: { preallocate: true } });
    expect(await texts(again, again.replayFrom)).toEqual(wanted);
    expect(await damage("corrupt")).toBe(0);
    expect(await damage("torn")).toBe(0);
  });

  test("a full log refuses with the setting's name and takes requests again when it has room", async () => {
    const log = await openLog({ config: { max_bytes: 2 * SEGMENT_BYTES } });
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

describe("damaged files", () => {
  test("whatever of the last record is missing, the others are there and the log goes on", async () => {
    const log = await openLog();
    for (const name of ["a", "b", "last:0123456789"]) await log.append(request(name));
    await log.stop();
    const [file] = segments() as [string];
    const whole = readFileSync(join(dir, file));
    const recordBytes = 36 + "shop".length + "remote-write-2".length + "snappy".length + "last:0123456789".length;
    for (let cut = 1; cut <= recordBytes; cut++) {
      for (const filler of [Buffer.alloc(0), Buffer.alloc(cut + 100)]) {
        const copy = join(root, "copy");
        rmSync(copy, { recursive: true, force: true });
        mkdirSync(copy);
        writeFileSync(join(copy, file), Buffer.concat([whole.subarray(0, -cut), filler]));
        const again = await openLog({ dir: copy });
        expect(await texts(again)).toEqual(["a", "b"]);
        await again.append(request("more"));
        expect(await texts(again)).toEqual(["a", "b", "more"]);
        await again.stop();
        const third = await openLog({ dir: copy });
        expect(await texts(third)).toEqual(["a", "b", "more"]);
        expect(await damage("corrupt")).toBe(0);
        await third.stop();
      }
    }
  });

  test("a flipped byte anywhere costs one record, is counted, and nothing else", async () => {
    const log = await openLog();
    const wanted = names("r", 40);
    for (const name of wanted) await log.append(request(`${name}:${"x".repeat(4_000)}`));
    await log.stop();
    const [, second] = segments().sort() as [string, string];
    const path = join(dir, second);
    const { size } = statSync(path);
    for (const at of [0, 9, 13, 20, 33, 40, 2_000, size / 2, size - 1].map(Math.floor)) {
      copyFileSync(path, join(root, "whole"));
      const bytes = readFileSync(path);
      bytes[at] = (bytes[at] as number) ^ 0x10;
      writeFileSync(path, bytes);
      const again = await openLog();
      const found = await texts(again);
      expect(found).toHaveLength(39);
      expect(wanted.filter((name) => !found.includes(name))).toHaveLength(1);
      expect(await damage("corrupt")).toBe(1);
      await again.stop();
      copyFileSync(join(root, "whole"), path);
    }
  });

  test.each(["", "{", '{"replayFrom":"7"}'])("a damaged checkpoint (%j) costs only a longer replay", async (text) => {
    const log = await openLog();
    const [first] = await Promise.all(["a", "b"].map((name) => log.append(request(name))));
    await log.truncateBefore((first as number) + 1);
    await log.stop();
    writeFileSync(join(dir, "checkpoint.json"), text);
    const again = await openLog();
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
      const log = await openLog({ files });
      await log.append(request("before"));
      faults.writeRoomBytes = room;
      const refused = log.append(request(`refused:${"x".repeat(100)}`));
      await expect(refused).rejects.toThrow(/free space/);
      await expect(refused).rejects.toMatchObject({ name: "UnavailableError", cause: { code: "ENOSPC" } });
      faults.writeRoomBytes = Number.POSITIVE_INFINITY;
      await log.append(request("after"));
      expect(await texts(log)).toEqual(["before", "after"]);
      await log.stop();
      const again = await openLog();
      expect(await texts(again)).toEqual(["before", "after"]);
      expect(await damage("corrupt")).toBe(0);
    },
  );

  test("writes that take only part of the bytes are continued", async () => {
    const files: WalFiles = {
      ...DISK_FILES,
      write: (fd, buffers, offset) => DISK_FILES.write(fd, [Buffer.concat(buffers).subarray(0, 7)], offset),
    };
    const log = await openLog({ files });
    await Promise.all(names("r", 20).map((name) => log.append(request(name))));
    expect(await texts(log)).toEqual(names("r", 20));
  });

  test("a failed sync is not acknowledged, and its requests don't come back after a restart", async () => {
    const { faults, files } = faultyFiles();
    const log = await openLog({ files });
    await log.append(request("before"));
    faults.sync = true;
    const results = await Promise.allSettled(names("lost", 5).map((name) => log.append(request(name))));
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
    faults.sync = false;
    await log.append(request("after"));
    expect(await texts(log)).toEqual(["before", "after"]);
    await log.stop();
    expect(await texts(await openLog())).toEqual(["before", "after"]);
  });

  test("when cutting off fails as well, the run that goes on does not show them", async () => {
    const { faults, files } = faultyFiles();
    const log = await openLog({ files });
    await log.append(request("before"));
    faults.sync = true;
    faults.truncate = true;
    await expect(log.append(request("lost"))).rejects.toThrow(UnavailableError);
    faults.sync = false;
    await log.append(request("after"));
    expect(await texts(log)).toEqual(["before", "after"]);
  });

  test("a real file system that is full, and has room again", async (context) => {
    const mount = join(root, "tmpfs");
    mkdirSync(mount);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", mount], { stdio: "ignore" });
    } catch {
      context.skip("mounting needs root");
    }
    try {
      const log = await openLog({ dir: join(mount, "wal"), config: { max_bytes: 64 * SEGMENT_BYTES } });
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
      const again = await openLog({ dir: join(mount, "wal") });
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
    rmSync(dir, { recursive: true, force: true });
    const config = { preallocate, max_bytes: 64 * 1024 * 1024 };
    let log = await openLog({ config });
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
        const newest = segments().sort().at(-1);
        // Half a record, as a crash leaves it behind.
        if (newest && what.restart) appendTorn(newest, what.tornBytes);
        log = await openLog({ config });
      }
      const found = await entries(log, log.replayFrom);
      expect(found.map(({ position }) => position)).toEqual(kept.map(({ position }) => position));
    }
    await log.stop();
  };
  await fc.assert(fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 12 }), run), { numRuns: 40 });
});

/** Only where the file ends with its last record: a preallocated one is not full. */
function appendTorn(file: string, bytes: number): void {
  if (statSync(join(dir, file)).size >= SEGMENT_BYTES) return;
  const marker = Buffer.from(file.slice(17, 33), "hex");
  appendFileSync(join(dir, file), Buffer.concat([marker, Buffer.alloc(bytes, 1)]));
}

test("after kill -9 every acknowledged request is there, and none twice", async () => {
  const writer = fileURLToPath(new URL("./testdata/append-forever.ts", import.meta.url));
  const acknowledged = new Map<number, string>();
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [writer, dir], { stdio: ["ignore", "pipe", "inherit"] });
    let lines = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [position, name] = line.split(" ") as [string, string];
      acknowledged.set(Number(position), name);
      if (++lines === 400 + round * 137) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  expect(acknowledged.size).toBeGreaterThan(1_000);
  const log = await openLog();
  const found = await entries(log);
  expect(new Set(found.map(({ position }) => position)).size).toBe(found.length);
  const byPosition = new Map(found.map(({ position, request }) => [position, String(request.body).split(":")[0]]));
  for (const [position, name] of acknowledged) expect(byPosition.get(position)).toBe(name);
  expect(await damage("corrupt")).toBe(0);
});
