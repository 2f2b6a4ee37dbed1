import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InvalidInputError, UnavailableError } from "@sightline/model/errors.ts";
import { headersOf, type Options, timeMsOf, urlOf } from "./command-options.ts";

const USAGE =
  "usage: export DIR --tenant T [--signal metrics,logs,traces] [--format ndjson|parquet] [--start 30d] [--end now] [--url http://HOST:PORT] [--key-file FILE]";
const DAY_MS = 86_400_000;

const SIGNALS = ["metrics", "logs", "traces"] as const;
type Signal = (typeof SIGNALS)[number];

/** Columns of the Parquet files; what has fields of its own is JSON. */
const COLUMNS: Readonly<Record<Signal, Readonly<Record<string, string>>>> = {
  metrics: {
    metric: "JSON",
    values: "VARCHAR[]",
    timestamps: "BIGINT[]",
    histograms: "JSON[]",
    histogram_timestamps: "BIGINT[]",
  },
  logs: {
    time: "VARCHAR",
    observed_time: "VARCHAR",
    severity_number: "UTINYINT",
    severity: "VARCHAR",
    body: "VARCHAR",
    trace_id: "VARCHAR",
    span_id: "VARCHAR",
    labels: "JSON",
    resource: "JSON",
    scope: "VARCHAR",
    attributes: "JSON",
  },
  traces: {
    trace_id: "VARCHAR",
    span_id: "VARCHAR",
    parent_span_id: "VARCHAR",
    name: "VARCHAR",
    kind: "UTINYINT",
    start: "VARCHAR",
    duration_ns: "BIGINT",
    status_code: "UTINYINT",
    status_message: "VARCHAR",
    resource: "JSON",
    scope: "VARCHAR",
    attributes: "JSON",
    events: "JSON",
    links: "JSON",
  },
};
/** Of the rows above. Samples become rows of their own; histograms stay in NDJSON only. */
const SELECTS: Readonly<Record<Signal, string>> = {
  metrics:
    'SELECT metric, make_timestamp_ms(timestamp) AS time, CAST(value AS DOUBLE) AS value FROM (SELECT metric, unnest(timestamps) AS timestamp, unnest("values") AS value FROM rows)',
  logs: "SELECT * REPLACE (CAST(time AS TIMESTAMP_NS) AS time, CAST(observed_time AS TIMESTAMP_NS) AS observed_time) FROM rows",
  traces: "SELECT * REPLACE (CAST(start AS TIMESTAMP_NS) AS start) FROM rows",
};

type Request = {
  readonly dir: string;
  readonly format: "ndjson" | "parquet";
  readonly signals: readonly Signal[];
  readonly startMs: number;
  readonly endMs: number;
};

/**
 * `sightline export DIR`: all of a tenant, a file per signal and day (UTC), `logs-2026-01-02.ndjson` or `.parquet`; of a day
 * of which only a part was asked for, `logs-2026-01-02-part.ndjson`. Whole days that are there already are not asked for again,
 * so an export that was broken off goes on. Returns the exit code.
 */
export async function runExport({ words, options }: { words: readonly string[]; options: Options }): Promise<number> {
  const { dir, format, signals, startMs, endMs } = requestOf(words, options, Date.now());
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (const signal of signals) {
    for (let dayMs = Math.floor(startMs / DAY_MS) * DAY_MS; dayMs <= endMs; dayMs += DAY_MS) {
      const range = { startMs: Math.max(startMs, dayMs), endMs: Math.min(endMs, dayMs + DAY_MS - 1) };
      const isWhole = range.endMs - range.startMs === DAY_MS - 1;
      const name = `${signal}-${new Date(dayMs).toISOString().slice(0, 10)}${isWhole ? "" : "-part"}`;
      const path = join(dir, `${name}.${format}`);
      if (isWhole && (await isThere(path))) continue;
      await exportDay(signal, range, options, path);
    }
  }
  return 0;
}

function requestOf(words: readonly string[], options: Options, nowMs: number): Request {
  const [dir, ...others] = words;
  const given = options as Record<string, string | undefined>;
  const { tenant, format = "ndjson", signal = SIGNALS.join(","), start = "30d", end = "now" } = given;
  if (dir === undefined || others.length > 0 || tenant === undefined) throw new InvalidInputError(USAGE);
  if (format !== "ndjson" && format !== "parquet") throw new InvalidInputError(`--format ${format}: ndjson or parquet`);
  const signals = signal.split(",") as Signal[];
  for (const name of signals) {
    if (!SIGNALS.includes(name)) throw new InvalidInputError(`--signal ${name}: ${SIGNALS.join(", ")}`);
  }
  return { dir, format, signals, startMs: timeMsOf("start", start, nowMs), endMs: timeMsOf("end", end, nowMs) };
}

/** A day without anything leaves no file. */
async function exportDay(
  signal: Signal,
  range: { readonly startMs: number; readonly endMs: number },
  options: Options,
  path: string,
): Promise<void> {
  const rows = `${path}.incomplete`;
  try {
    await download(signal, range, options, rows);
    if ((await stat(rows)).size === 0) return;
    if (path.endsWith(".parquet")) await toParquet(signal, rows, path);
    else await rename(rows, path);
  } finally {
    await rm(rows, { force: true });
  }
  process.stderr.write(`${path}  ${((await stat(path)).size / 1e6).toFixed(1)} MB\n`);
}

async function download(
  signal: Signal,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  options: Options,
  path: string,
): Promise<void> {
  const url = urlOf(options);
  const seconds = { start: String(startMs / 1_000), end: String(endMs / 1_000) };
  const address = `${url}/api/v1/export?${new URLSearchParams({ signal, ...seconds })}`;
  const answer = await fetch(address, { headers: headersOf(options) }).catch((cause: unknown) => {
    throw new UnavailableError(`no server answers at ${url} (--url)`, { cause, retryAfterMs: 0 });
  });
  if (!answer.ok || !answer.body) {
    throw new UnavailableError(`${url}: ${answer.status} ${await answer.text()}`, { retryAfterMs: 0 });
  }
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(path, { mode: 0o600 }));
}

async function toParquet(signal: Signal, rows: string, path: string): Promise<void> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const columns = Object.entries(COLUMNS[signal]).map(([name, type]) => `"${name}": ${quote(type)}`);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const source = `read_ndjson(${quote(rows)}, columns = {${columns.join(", ")}}, maximum_object_size = 1073741824)`;
    await connection.run(
      `COPY (WITH rows AS (FROM ${source}) ${SELECTS[signal]}) TO ${quote(`${path}.tmp`)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    await rename(`${path}.tmp`, path);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
