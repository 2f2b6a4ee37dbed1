import { execFile, spawn } from "node:child_process";
import { accessSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { ServerProcess } from "./harness/server-process.ts";

/** Where logcli is; without it all is skipped. */
const LOGCLI = process.env.LOGCLI ?? "logcli";
const hasLogcli = [LOGCLI, ...(process.env.PATH ?? "").split(":").map((dir) => `${dir}/${LOGCLI}`)].some((path) => {
  try {
    accessSync(path);
    return path.includes("/");
  } catch {
    return false;
  }
});
const run = promisify(execFile);
const LINES = 1_000;
/** An hour of lines, one each 3.6 s, that ended ten minutes ago. */
const START_MS = Math.floor(Date.now() / 60_000) * 60_000 - 4_200_000;
const END_MS = START_MS + 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();
const RANGE = [`--from=${iso(START_MS)}`, `--to=${iso(END_MS)}`];

describe.skipIf(!hasLogcli)("logcli", () => {
  let server: ServerProcess;
  const logcli = async (...args: string[]) => {
    const { stdout } = await run(LOGCLI, [`--addr=${server.url}`, "--quiet", ...args], { maxBuffer: 1 << 26 });
    return stdout;
  };
  const linesOf = (text: string) => text.split("\n").filter((line) => line !== "");

  async function push(app: string, lines: readonly (readonly [number, string])[]): Promise<void> {
    const values = lines.map(([atMs, line]) => [`${atMs}000000`, line, { user: "ann" }]);
    const answer = await fetch(`${server.url}/loki/api/v1/push`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ streams: [{ stream: { app, env: "prod" }, values }] }),
    });
    expect([answer.status, await answer.text()]).toEqual([204, ""]);
  }

  beforeAll(async () => {
    server = await ServerProcess.start();
    await push(
      "shop",
      Array.from({ length: LINES }, (_, i) => [
        START_MS + i * 3_600,
        `level=${i % 10 === 0 ? "error" : "info"} n=${i} took=${i}ms`,
      ]),
    );
  });
  afterAll(() => server?.dispose());

  const QUERY = '{app="shop"}';
  test("query gives all lines in batches, newest first or last", async () => {
    const newest = linesOf(await logcli("query", QUERY, ...RANGE, "--limit=0", "--batch=100", "-o", "raw"));
    expect(newest).toHaveLength(LINES);
    expect(newest[0]).toBe(`level=info n=${LINES - 1} took=${LINES - 1}ms`);
    const forward = linesOf(
      await logcli("query", QUERY, ...RANGE, "--limit=0", "--batch=77", "--forward", "-o", "raw"),
    );
    expect(forward).toEqual(newest.toReversed());
  });

  test("query as JSON lines, with labels and time", async () => {
    const found = linesOf(
      await logcli("query", `${QUERY} | logfmt | n = 7`, ...RANGE, "--include-common-labels", "-o", "jsonl"),
    ).map((line) => JSON.parse(line) as { labels: Record<string, string>; line: string; timestamp: string });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ line: "level=info n=7 took=7ms", labels: { app: "shop", n: "7" } });
    expect(Date.parse(found[0]?.timestamp ?? "")).toBe(START_MS + 7 * 3_600);
  });

  test("query as people read it", async () => {
    const text = await logcli("query", `${QUERY} |= "n=7 "`, ...RANGE, "--no-labels", "--timezone=UTC");
    expect(text.trim()).toBe(`${iso(START_MS + 7 * 3_600).slice(0, 19)}Z level=info n=7 took=7ms`);
  });

  test("query in parallel parts, merged", async () => {
    const dir = await mkdtemp(join(tmpdir(), "sightline-logcli-"));
    const parallel = ["--parallel-duration=15m", "--parallel-max-workers=3", `--part-path-prefix=${dir}/part`];
    const merged = await logcli(
      "query",
      QUERY,
      ...RANGE,
      "--limit=0",
      ...parallel,
      "--merge-parts",
      "--forward",
      "-o",
      "raw",
    );
    expect(new Set(linesOf(merged)).size).toBe(LINES);
    expect(linesOf(merged)).toHaveLength(LINES);
    await logcli("query", QUERY, ...RANGE, "--limit=0", ...parallel, "-o", "raw");
    expect(await readdir(dir)).toHaveLength(4);
    await rm(dir, { recursive: true });
  });

  test("instant-query and query of samples", async () => {
    const now = `--now=${iso(END_MS)}`;
    const instant = JSON.parse(
      await logcli("instant-query", now, `sum by (detected_level) (count_over_time(${QUERY}[1h]))`),
    );
    const counts = instant.map(({ metric, value }: { metric: { detected_level: string }; value: [number, string] }) => [
      metric.detected_level,
      value[1],
    ]);
    // The first line is older than an hour, by nothing: it does not count.
    expect(new Map(counts)).toEqual(
      new Map([
        ["error", "99"],
        ["info", "900"],
      ]),
    );
    const range = JSON.parse(await logcli("query", ...RANGE, "--step=10m", `sum(count_over_time(${QUERY}[10m]))`));
    const sum = range[0].values.reduce((total: number, [, value]: [number, string]) => total + Number(value), 0);
    expect(sum).toBe(LINES);
  });

  test.each<[string, string[], RegExp]>([
    ["labels", ["labels", ...RANGE], /^app\nenv\nservice_name$/],
    ["values of a label", ["labels", ...RANGE, "app"], /^shop$/],
    ["series", ["series", ...RANGE, QUERY], /^\{app="shop", env="prod", service_name="shop"\}$/],
    ["series with how many values labels have", ["series", ...RANGE, QUERY, "--analyze-labels"], /^app\s+1\s+1$/m],
    ["stats", ["stats", ...RANGE, QUERY], /entries:\s*1000\b/],
    ["volume", ["volume", ...RANGE, QUERY], /"app": "shop"/],
    ["volume by a label", ["volume", ...RANGE, QUERY, "--targetLabels=env"], /"env": "prod"/],
    ["volume by names", ["volume", ...RANGE, QUERY, "--aggregateByLabels"], /"service_name": ""/],
    ["detected-fields", ["detected-fields", ...RANGE, QUERY], /label: took\s+type: duration\s+cardinality: 1000/],
  ])("%s", async (_, args, want) => expect((await logcli(...args)).trim()).toMatch(want));

  test("volume and volume_range agree on the bytes", async () => {
    type Volume = { value: [number, string]; values: [number, string][] };
    const [volume] = JSON.parse(await logcli("volume", ...RANGE, QUERY)) as Volume[];
    const [overTime] = JSON.parse(await logcli("volume_range", ...RANGE, "--step=7m", QUERY)) as Volume[];
    const bytes = Array.from(
      { length: LINES },
      (_, i) => `level=${i % 10 === 0 ? "error" : "info"} n=${i} took=${i}ms`.length,
    ).reduce((a, b) => a + b);
    expect(overTime?.values.reduce((total, [, value]) => total + Number(value), 0)).toBe(bytes);
    expect(Number(volume?.value[1])).toBe(bytes);
  });

  test("fmt", async () => {
    const child = spawn(LOGCLI, ["fmt"]);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk;
    });
    child.stdin.end('sum by(app)(rate({app="shop"}|="x"[5m]))');
    await new Promise((resolve) => child.on("close", resolve));
    expect(output).toContain("sum by (app)(");
    const { data } = (await (
      await fetch(`${server.url}/loki/api/v1/format_query?${new URLSearchParams({ query: output.trim() })}`)
    ).json()) as { data: string };
    expect(data).toBe('sum by (app)(rate({app="shop"} |= "x"[5m]))');
  });

  test("query --tail goes on with what comes", async () => {
    const child = spawn(LOGCLI, [
      `--addr=${server.url}`,
      "--quiet",
      "query",
      '{app="followed"}',
      "--tail",
      "-o",
      "raw",
    ]);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk;
    });
    try {
      await push("followed", [[Date.now(), "before"]]);
      await eventually(async () => expect(output).toContain("before"));
      for (let i = 0; i < 50; i++) await push("followed", [[Date.now(), `after ${i}`]]);
      await eventually(async () => expect(linesOf(output)).toHaveLength(51));
      expect(linesOf(output).slice(1)).toEqual(Array.from({ length: 50 }, (_, i) => `after ${i}`));
    } finally {
      child.kill();
    }
  });

  test("what is wrong is told", async () => {
    await expect(logcli("query", '{app="shop"')).rejects.toThrow(/parse error at line 1, col 12/);
  });
});
