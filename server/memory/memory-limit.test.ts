import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { availableMemory, memoryLimit } from "./memory-limit.ts";

const GIB = 2 ** 30;
const machine = { availableBytes: 10 * GIB, availableFrom: "machine" } as const;

describe("the setting", () => {
  test.each([
    ["60%", 6 * GIB],
    ["12.5%", 1.25 * GIB],
    ["100%", 10 * GIB],
    ["1GiB", GIB],
    ["500MB", 500_000_000],
    ["1073741824", GIB],
    ["1%", 384 * 2 ** 20],
  ])("%s", (text, bytes) => expect(memoryLimit(text, machine).bytes).toBe(bytes));

  test.each([
    ["0%", /more than 0%/],
    ["101%", /at most 100%/],
    ["much", /not a size/],
    ["100MiB", /memory_limit 100MiB is too little: at least 384MiB/],
  ])("%s is refused", (text, message) => expect(() => memoryLimit(text, machine)).toThrow(message));
});

test("a share of very little is all of it", () => {
  expect(memoryLimit("60%", { ...machine, availableBytes: 300e6 }).bytes).toBe(300e6);
});

describe("what there is", () => {
  const dir = mkdtempSync(join(tmpdir(), "sightline-cgroup-"));
  afterAll(() => rmSync(dir, { recursive: true }));
  let cases = 0;
  function available(membership: string, files: Record<string, string>) {
    const root = join(dir, String(cases++));
    for (const [path, text] of Object.entries({ membership, ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return availableMemory({ membership: join(root, "membership"), root }, 8 * GIB);
  }

  test("is the machine's memory without control groups", () => {
    expect(available("", {})).toEqual({ availableBytes: 8 * GIB, availableFrom: "machine" });
  });
  test("is the lowest limit on the way up, in version 2", () => {
    const limits = { "a/b/memory.max": "max\n", "a/memory.max": `${2 * GIB}\n`, "memory.max": `${4 * GIB}\n` };
    expect(available("0::/a/b\n", limits)).toEqual({ availableBytes: 2 * GIB, availableFrom: "control group" });
  });
  test("is that of the root group in a container, where the path is the host's", () => {
    expect(available("0::/host/pod\n", { "memory.max": `${GIB}\n` }).availableBytes).toBe(GIB);
  });
  test("is the memory controller's limit in version 1", () => {
    const limits = { "memory/x/memory.limit_in_bytes": `${3 * GIB}\n` };
    expect(available("9:cpu,cpuacct:/y\n4:memory:/x\n0::/\n", limits).availableBytes).toBe(3 * GIB);
  });
  test("is the machine's where the control group's limit is none", () => {
    const limits = { "memory/x/memory.limit_in_bytes": "9223372036854771712\n" };
    expect(available("4:memory:/x\n", limits).availableFrom).toBe("machine");
  });
});
