import { copyOut } from "../database/copy-out.ts";
import type { Client, Database } from "../database/database.ts";
import { int8 } from "../database/sql-int8.ts";
import { mergedSeries, PAGES_LOCK } from "./pack-partition.ts";
import { decodeWholePage } from "./page-codec.ts";
import { deleteStoredPages, insertPages, type StoredPage } from "./page-table.ts";
import { MERGED_PAGE_MS } from "./partitions.ts";

/** Decoded at a time: about 16 bytes each. */
const CHUNK_SAMPLES = 1_000_000;

/** The pages of one tenant and metric whose first samples are of one {@link MERGED_PAGE_MS}. */
type Span = { readonly tenantNumber: number; readonly bucket: number; readonly startMs: number };
type PageContent = Pick<StoredPage, "series">;
type PageFacts = {
  readonly place: string;
  readonly firstSeries: bigint;
  readonly lastSeries: bigint;
  readonly samples: number;
};

/**
 * Makes pages of two hours of those of ten minutes, where two hours ended before `beforeMs`, one metric per transaction. Queries see the
 * ones or the others. Returns how many pages went into others.
 */
export async function mergePages(
  database: Database,
  beforeMs: number,
  signal: AbortSignal,
  chunkSamples = CHUNK_SAMPLES,
): Promise<number> {
  const spans = await database.write("looking for pages to merge", (client) => spansToMerge(client, beforeMs));
  let merged = 0;
  for (const span of spans) {
    if (signal.aborted) break;
    merged += await database.transaction("merging pages", (client) => mergeSpan(client, span, chunkSamples));
  }
  return merged;
}

async function spansToMerge(client: Client, beforeMs: number): Promise<Span[]> {
  const endMs = Math.floor(beforeMs / MERGED_PAGE_MS) * MERGED_PAGE_MS;
  const { rows } = await client.query(
    `SELECT tenant, bucket, (floor(time / ${MERGED_PAGE_MS}.0) * ${MERGED_PAGE_MS})::float8 AS start
     FROM pages WHERE NOT merged AND time < ${int8(endMs)} GROUP BY 1, 2, 3 ORDER BY 3, 1, 2`,
  );
  return rows.map(({ tenant, bucket, start }) => ({ tenantNumber: tenant, bucket, startMs: start }));
}

async function mergeSpan(client: Client, span: Span, chunkSamples: number): Promise<number> {
  await client.query("SET LOCAL enable_seqscan = off");
  await client.query("SELECT pg_advisory_xact_lock($1)", [PAGES_LOCK]);
  const pages = await pagesOf(client, span);
  if (pages.length === 1) {
    await client.query(`UPDATE pages SET merged = true WHERE ${whereOf(span)}`);
    return 0;
  }
  for (const [low, high] of seriesRanges(pages, chunkSamples)) {
    const inRange = ({ id }: { readonly id: bigint }) => id >= low && id <= high;
    // What is merged already has lower ids: it is not read again.
    const stored = await readPages(client, span, low, high);
    const own = stored.map(({ series }) => ({ series: series.filter(inRange) }));
    await insertPages(client, span.tenantNumber, mergedSeries(own, []), { table: "pages", merged: true });
  }
  await deleteStoredPages(client, pages);
  return pages.length;
}

function whereOf({ tenantNumber, bucket, startMs }: Span): string {
  return `tenant = ${tenantNumber} AND bucket = ${bucket}
    AND time BETWEEN ${int8(startMs)} AND ${int8(startMs + MERGED_PAGE_MS - 1)}`;
}

/** In the order of their first series. */
async function pagesOf(client: Client, span: Span): Promise<PageFacts[]> {
  const { rows } = await client.query(
    `SELECT tableoid::int8 || ' ' || ctid AS place, first_series, last_series, samples FROM pages
     WHERE ${whereOf(span)} ORDER BY first_series`,
  );
  return rows.map(({ place, first_series, last_series, samples }) => ({
    place,
    samples,
    firstSeries: BigInt(first_series),
    lastSeries: BigInt(last_series),
  }));
}

/** Ranges of ids, ascending and without gaps, whose pages have about so many samples each. Both ends are included. */
function seriesRanges(pages: readonly PageFacts[], chunkSamples: number): [low: bigint, high: bigint][] {
  const ranges: [bigint, bigint][] = [];
  let low = (pages[0] as PageFacts).firstSeries;
  let high = low;
  let samples = 0;
  for (const page of pages) {
    if (samples >= chunkSamples && page.firstSeries > low) {
      ranges.push([low, page.firstSeries - 1n]);
      low = page.firstSeries;
      samples = 0;
    }
    samples += page.samples;
    if (page.lastSeries > high) high = page.lastSeries;
  }
  ranges.push([low, high]);
  return ranges;
}

async function readPages(client: Client, span: Span, low: bigint, high: bigint): Promise<PageContent[]> {
  const found: PageContent[] = [];
  const sql = `SELECT data FROM pages WHERE ${whereOf(span)} AND first_series <= ${high} AND last_series >= ${low}`;
  const sink = {
    row: (bytes: Buffer, offsets: Int32Array, lengths: Int32Array) => {
      const at = offsets[0] as number;
      found.push({ series: decodeWholePage(bytes.subarray(at, at + (lengths[0] as number))) });
    },
  };
  await copyOut(client, sql, 1, sink, undefined);
  return found;
}
