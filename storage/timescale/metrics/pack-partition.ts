import { copyOut } from "../database/copy-out.ts";
import type { Client, Database } from "../database/database.ts";
import { type AssembledSamples, assembleSeries, SampleArena } from "./assemble-series.ts";
import type { PageSeries } from "./page-codec.ts";
import { deleteStoredPages, insertPages, readStoredPages, type StoredPage } from "./page-table.ts";
import { createPartitions, type Partition, WINDOW_MS } from "./partitions.ts";
import { SampleCollector } from "./sample-collector.ts";

/** For `pg_advisory_xact_lock`: one process at a time rewrites pages. */
export const PAGES_LOCK = 7_236_474;
/** Rows that are sorted and packed at a time. */
const CHUNK_ROWS = 500_000;
const FIRST_SAMPLES = 16_384;

const EVER = { startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY };

type Chunk = { readonly tenantNumber: number; readonly ids: bigint[]; readonly collector: SampleCollector };

/**
 * Turns the rows of one partition into pages and empties its partition, in one transaction; pages that are there already are
 * merged. Writers of that window wait meanwhile, queries don't, until the partition is emptied at the very end. Returns the
 * number of rows.
 */
export async function packPartition(database: Database, { name: partition, startMs }: Partition): Promise<number> {
  // In a transaction of its own, because its lock keeps others from making theirs.
  await database.transaction("making a partition of pages", (client) =>
    createPartitions(client, "pages", [startMs / WINDOW_MS], startMs),
  );
  return database.transaction(`packing ${partition}`, async (client) => {
    await client.query("SET LOCAL lock_timeout = 2000; SET LOCAL enable_seqscan = off");
    await client.query("SELECT pg_advisory_xact_lock($1)", [PAGES_LOCK]);
    await client.query(`LOCK TABLE ${partition} IN EXCLUSIVE MODE`);
    let rows = 0;
    let after = -1n;
    for (;;) {
      const chunks = new ChunkReader();
      await readRows(client, partition, after, CHUNK_ROWS, chunks);
      // The last series may go on behind the limit; one that fills all of it is read without one.
      const isCut = chunks.rows === CHUNK_ROWS;
      if (isCut && !chunks.dropLastSeries()) {
        chunks.clear();
        await readRows(client, partition, after, undefined, chunks);
      }
      for (const chunk of chunks.all) await packChunk(client, chunk);
      rows += chunks.rows;
      if (!isCut) break;
      after = chunks.lastId;
    }
    if (rows > 0) await client.query(`TRUNCATE ${partition}`);
    return rows;
  });
}

/** Of the series after `after`, in the order of ids; without a limit of the next series alone. */
async function readRows(
  client: Client,
  partition: string,
  after: bigint,
  limit: number | undefined,
  chunks: ChunkReader,
): Promise<void> {
  const which = `series > ${after}`;
  const where = limit === undefined ? `series = (SELECT min(series) FROM ${partition} WHERE ${which})` : which;
  const sql = `SELECT tenant, series, time, value, start FROM ${partition} WHERE ${where}
    ORDER BY series, time, flush ${limit === undefined ? "" : `LIMIT ${limit}`}`;
  await copyOut(client, sql, 5, chunks, undefined);
}

/** Rows by tenant and series. The ids of two tenants may lie between each other. */
class ChunkReader {
  readonly #chunks = new Map<number, Chunk>();
  #current: Chunk | undefined;
  rows = 0;
  lastId = -1n;
  readonly #offsets = new Int32Array(4);
  readonly #lengths = new Int32Array(4);

  get all(): Iterable<Chunk> {
    return this.#chunks.values();
  }

  row(bytes: Buffer, offsets: Int32Array, lengths: Int32Array): void {
    const tenantNumber = bytes.readInt32BE(offsets[0] as number);
    const id = bytes.readBigInt64BE(offsets[1] as number);
    this.rows++;
    if (id !== this.lastId || this.#current?.tenantNumber !== tenantNumber) this.#begin(tenantNumber, id);
    const { collector, ids } = this.#current as Chunk;
    for (let i = 1; i < 4; i++) {
      this.#offsets[i] = offsets[i + 1] as number;
      this.#lengths[i] = lengths[i + 1] as number;
    }
    collector.rowOf(ids.length - 1, bytes, this.#offsets, this.#lengths);
  }

  #begin(tenantNumber: number, id: bigint): void {
    let chunk = this.#chunks.get(tenantNumber);
    if (!chunk) {
      chunk = { tenantNumber, ids: [], collector: new SampleCollector(0, FIRST_SAMPLES) };
      this.#chunks.set(tenantNumber, chunk);
    }
    chunk.ids.push(id);
    chunk.collector.addSeries();
    this.#current = chunk;
    this.lastId = id;
  }

  /** False when there is no other one. */
  dropLastSeries(): boolean {
    const chunk = this.#current as Chunk;
    chunk.ids.pop();
    const before = [...this.#chunks.values()].map(({ ids }) => ids.at(-1) ?? -1n).sort((a, b) => (a < b ? -1 : 1));
    this.lastId = before.at(-1) as bigint;
    return this.lastId >= 0n;
  }

  clear(): void {
    this.#chunks.clear();
    this.#current = undefined;
    this.lastId = -1n;
    this.rows = 0;
  }
}

async function packChunk(client: Client, { tenantNumber, ids, collector }: Chunk): Promise<void> {
  const windows = new Map<number, PageSeries[]>();
  const arena = new SampleArena(collector);
  for (const [number, id] of ids.entries()) splitByWindow(id, everything(collector, number, arena), windows);
  for (const [window, fresh] of windows) {
    const bounds = [(fresh[0] as PageSeries).id, (fresh.at(-1) as PageSeries).id] as const;
    const stored = await readStoredPages(client, tenantNumber, window * WINDOW_MS, ...bounds);
    const affected = stored.filter(({ series }) => overlaps(series, fresh));
    await deleteStoredPages(client, affected);
    await insertPages(client, tenantNumber, affected.length > 0 ? mergedSeries(affected, fresh) : fresh);
  }
}

function splitByWindow(id: bigint, samples: AssembledSamples, windows: Map<number, PageSeries[]>): void {
  const { timesMs, values, startsMs } = samples;
  for (let from = 0; from < timesMs.length; ) {
    const window = Math.floor((timesMs[from] as number) / WINDOW_MS);
    const endMs = (window + 1) * WINDOW_MS;
    let to = from + 1;
    while (to < timesMs.length && (timesMs[to] as number) < endMs) to++;
    const part: PageSeries = {
      id,
      timesMs: timesMs.subarray(from, to),
      values: values.subarray(from, to),
      startsMs: startsMs?.subarray(from, to),
    };
    const known = windows.get(window);
    if (known) known.push(part);
    else windows.set(window, [part]);
    from = to;
  }
}

function overlaps(series: readonly PageSeries[], fresh: readonly PageSeries[]): boolean {
  const wanted = new Set(fresh.map(({ id }) => id));
  return series.some(({ id }) => wanted.has(id));
}

/** What is stored was first. */
export function mergedSeries(
  stored: readonly Pick<StoredPage, "series">[],
  fresh: readonly PageSeries[],
): PageSeries[] {
  const parts = new Map<bigint, PageSeries[]>();
  for (const series of [...stored.flatMap(({ series }) => series), ...fresh]) {
    const known = parts.get(series.id);
    if (known) known.push(series);
    else parts.set(series.id, [series]);
  }
  const ids = [...parts.keys()].sort((a, b) => (a < b ? -1 : 1));
  return ids.map((id) => {
    const own = parts.get(id) as PageSeries[];
    if (own.length === 1) return own[0] as PageSeries;
    const collector = new SampleCollector(
      1,
      own.reduce((sum, { timesMs }) => sum + timesMs.length, 0),
    );
    for (const part of own) collector.addRun(0, part);
    return { id, ...everything(collector, 0, new SampleArena(collector)) };
  });
}

function everything(collector: SampleCollector, series: number, arena: SampleArena): AssembledSamples {
  return assembleSeries(collector, series, EVER, arena);
}
