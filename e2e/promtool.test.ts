/**
 * promtool as a client: what it prints about a Sightline is what it prints about a Prometheus with the same data. Needs
 * SIGHTLINE_E2E_PROMETHEUS and SIGHTLINE_E2E_PROMTOOL, paths of Prometheus 3.14 and its promtool; skipped without.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call } from "./harness/http-call.ts";
import { FedPair } from "./harness/prometheus-fed-pair.ts";
import {
  encodeRemoteWrite1,
  encodeRemoteWrite2,
  type HistogramPoint,
  type Series,
  snappy,
} from "./harness/remote-write.ts";

const prometheus = process.env.SIGHTLINE_E2E_PROMETHEUS;
const promtool = process.env.SIGHTLINE_E2E_PROMTOOL;
if (promtool === undefined || prometheus === undefined) {
  process.stderr.write("promtool is not compared: SIGHTLINE_E2E_PROMTOOL or SIGHTLINE_E2E_PROMETHEUS is not set\n");
}

const END = Math.floor(Date.now() / 60_000) * 60 - 60;
const START = END - 600;

type Output = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Where `debug` leaves its archive, too. */
let dir: string;

function run(args: readonly string[], stdin = ""): Promise<Output> {
  return new Promise((resolve) => {
    const child = execFile(promtool as string, args, { cwd: dir, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    child.stdin?.end(stdin);
  });
}

/** Prometheus gives instant vectors and lists of series in the order in which it first saw them. */
const sorted = (text: string) => {
  if (text.startsWith("[")) return (JSON.parse(text) as unknown[]).map((one) => JSON.stringify(one)).sort();
  return text.split("\n").sort();
};

const times = Array.from({ length: 41 }, (_, i) => (START + 15 * i) * 1_000);

function histogram(timeMs: number, i: number): HistogramPoint {
  const positive = [3 + i, 1, -2];
  return {
    timeMs,
    schema: 2,
    count: 3 + i + (4 + i) + (2 + i) + 1,
    sum: 17.5 * (i + 1),
    zeroThreshold: 0.001,
    zeroCount: 1,
    positiveSpans: [
      [1, 2],
      [3, 1],
    ],
    positive,
  };
}

function data(): Series[] {
  const series: Series[] = [];
  for (const [job, factor] of [
    ["api", 1.5],
    ["web", 0.1],
    ['späte "Züge"', 1e9],
  ] as const) {
    const labels = [
      ["__name__", "requests_total"],
      ["instance", "a:1"],
      ["job", job],
    ] as const;
    series.push({ labels, samples: times.map((timeMs, i) => ({ timeMs, value: i * factor })) });
    for (const [at, le] of ["0.1", "1", "10", "+Inf"].entries()) {
      series.push({
        labels: [
          ["__name__", "latency_seconds_bucket"],
          ["job", job],
          ["le", le],
        ],
        samples: times.map((timeMs, i) => ({ timeMs, value: i * (at + 1) })),
      });
    }
    series.push({
      labels: [
        ["__name__", "size_bytes"],
        ["job", job],
      ],
      histograms: times.map(histogram),
    });
  }
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-310, -0, 123456789.123];
  for (const [i, value] of odd.entries()) {
    const labels = [
      ["__name__", "odd.gauge"],
      ["i", String(i)],
    ] as const;
    series.push({ labels, samples: [{ timeMs: END * 1_000, value }] });
  }
  return series;
}

describe.skipIf(promtool === undefined || prometheus === undefined)("promtool", () => {
  let pair: FedPair;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "sightline-promtool-"));
    pair = await FedPair.start(prometheus as string);
    const series = data();
    await pair.write(1, snappy(encodeRemoteWrite1(series.slice(0, 7))));
    await pair.write(2, snappy(encodeRemoteWrite2(series.slice(7))));
    writeFileSync(
      join(dir, "http.yml"),
      "http_headers: {X-Scope-OrgID: {values: [default]}}\nfollow_redirects: true\n",
    );
  });
  afterAll(async () => {
    await pair?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** URL stands for the server's address. */
  async function both(args: readonly string[]): Promise<[wanted: Output, got: Output]> {
    const of = async (url: string): Promise<Output> => {
      const output = await run(args.map((arg) => arg.replace("URL", url).replace("DIR", dir)));
      return { ...output, stdout: output.stdout.replaceAll(url, "URL"), stderr: output.stderr.replaceAll(url, "URL") };
    };
    return [await of(pair.prometheusUrl), await of(pair.sightline.url)];
  }

  const at = ["--time", String(END)];
  const over = ["--start", String(START), "--end", String(END)];
  const queries = [
    "requests_total",
    "requests_total[1m]",
    "sum by (job) (rate(requests_total[5m]))",
    "histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m])))",
    "size_bytes",
    "rate(size_bytes[2m])",
    "size_bytes[1m]",
    '{"odd.gauge"}',
    "1 + 1",
    "'text'",
    "nothing",
    "rate(requests_total)",
    "sum(",
    'requests_total{job=~"api|web"} + on () requests_total{job=~"api|web"}',
    "rate(odd[5m]) or quantile(2, requests_total)",
  ];

  test.each(
    queries.flatMap((query) => [
      ["promql", query],
      ["json", query],
    ]),
  )("query instant -o %s %s prints the same", async (format, query) => {
    const [wanted, got] = await both(["query", "instant", "-o", format, ...at, "URL", query]);
    expect({ ...got, stdout: sorted(got.stdout) }).toEqual({ ...wanted, stdout: sorted(wanted.stdout) });
  });

  test.each([
    ...queries.flatMap((query) => [
      ["query", "range", ...over, "--step", "30s", "URL", query],
      ["query", "range", "-o", "json", ...over, "--step", "1m", "URL", query],
    ]),
    ["query", "instant", "--http.config.file", "DIR/http.yml", ...at, "URL", "sum(requests_total)"],
    ["query", "range", "--header", "X-Scope-OrgID=default", ...over, "--step", "1m", "URL", "requests_total"],
    ["query", "range", ...over, "--step", "1ms", "URL", "requests_total"],
    ["query", "range", "--start", String(END), "--end", String(START), "URL", "requests_total"],
    ["query", "labels", ...over, "URL", "job"],
    ["query", "labels", "-o", "json", ...over, "URL", "job"],
    ["query", "labels", ...over, "--match", "size_bytes", "URL", "__name__"],
    ["query", "labels", ...over, "URL", "nothing"],
    ["query", "labels", ...over, "--match", "{", "URL", "job"],
    [
      "query",
      "analyze",
      "--server",
      "URL",
      "--type",
      "histogram",
      "--duration",
      "10m",
      ...at,
      "--match",
      "latency_seconds_bucket",
    ],
    ["query", "analyze", "--server", "URL", "--type", "histogram", "--duration", "10m", ...at, "--match", "size_bytes"],
    ["query", "analyze", "--server", "URL", "--type", "histogram", "--duration", "10m", ...at, "--match", "nothing"],
    ["query", "series", "--match", "{", ...over, "URL"],
    ["debug", "metrics", "URL"],
  ])("%s %s … prints the same", async (...args) => {
    const [wanted, got] = await both(args);
    expect(got).toEqual(wanted);
  });

  test.each([
    ["query", "series", "--match", "requests_total", ...over, "URL"],
    ["query", "series", "-o", "json", "--match", '{__name__=~".+"}', ...over, "URL"],
    ["query", "series", "--match", "size_bytes", "--match", '{"odd.gauge",i=~"1|2"}', ...over, "URL"],
    ["query", "series", "--match", "nothing", ...over, "URL"],
  ])("%s %s … prints the same series", async (...args) => {
    const [wanted, got] = await both(args);
    expect({ ...got, stdout: sorted(got.stdout) }).toEqual({ ...wanted, stdout: sorted(wanted.stdout) });
  });

  test.each(["healthy", "ready"])("check %s succeeds", async (what) => {
    const [wanted, got] = await both(["check", what, "--url", "URL"]);
    expect(got.code).toBe(wanted.code);
    expect(got.stdout + got.stderr).toContain("SUCCESS");
  });

  test("push metrics writes what both then have", async () => {
    const file = join(dir, "pushed.txt");
    writeFileSync(file, '# HELP pushed_total Pushed.\n# TYPE pushed_total counter\npushed_total{a="b"} 5\n');
    const [wanted, got] = await both(["push", "metrics", "--label", "job=pushed", "URL", file]);
    expect({ ...got, stderr: "" }).toEqual({ ...wanted, stderr: "" });
    expect(got.code).toBe(0);
    const [theirs, ours] = await both(["query", "instant", "URL", "pushed_total * 1"]);
    const withoutTime = (text: string) => text.replace(/@\[.*/, "");
    expect(withoutTime(ours.stdout)).toBe(withoutTime(theirs.stdout));
    expect(ours.stdout).toContain("=> 5");
  });

  test("check metrics finds nothing to complain about in ours", async () => {
    const { text } = await call(`${pair.sightline.url}/metrics`);
    expect(await run(["check", "metrics"], text)).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("debug asks for profiles of Go, and says that it got none", async () => {
    const { code, stderr } = await run(["debug", "pprof", pair.sightline.url]);
    expect(code).toBe(1);
    expect(stderr).toContain("unrecognized profile format");
  });

  test("query against a wrong address fails alike", async () => {
    const { code, stderr } = await run(["query", "instant", "http://127.0.0.1:1", "up"]);
    expect(code).toBe(1);
    expect(stderr).toContain("connection refused");
  });
});
