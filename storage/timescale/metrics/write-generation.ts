import { labelsKey } from "@sightline/model/labels.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { byteaArray, float8Array, int8Array } from "../database/binary-array.ts";
import type { Client, Database } from "../database/database.ts";
import { codeOf } from "../database/database-error.ts";
import { copySamples, insertSamples } from "./copy-samples.ts";
import type { Generation } from "./generation.ts";
import { encodeHistogram } from "./histogram-codec.ts";
import { internSeries } from "./intern-series.ts";
import { minutesOf } from "./minute-ranges.ts";
import { type Partitions, WINDOW_MS } from "./partitions.ts";
import type { SampleBuffer } from "./sample-buffer.ts";
import type { SeriesSummary } from "./series-cache.ts";
import { digest64 } from "./series-id.ts";
import { formatLabelPairs } from "./series-text.ts";
import { noteChanges } from "./stored-changes.ts";
import type { TenantNumbers } from "./tenant-numbers.ts";

export type WriteOptions = {
  readonly database: Database;
  readonly tenants: TenantNumbers;
  /** Undefined: the tables are hypertables. */
  readonly partitions: Partitions | undefined;
  /** Whose positions they are. */
  readonly writer: string;
  readonly copyIn: boolean;
};
type Part = { readonly tenant: TenantId; readonly number: number; readonly buffer: SampleBuffer };

/** For `pg_advisory_xact_lock(class, tenant)`: shared by writes, alone for deletions. */
export const TENANT_LOCK = 7_236_472;
const NO_PARTITION = "23514";

/**
 * Writes a generation in one transaction, with its last position: all of it is there, or nothing. Settles, too, when an
 * earlier try whose outcome was unknown has written it.
 */
export async function writeGeneration(generation: Generation, options: WriteOptions): Promise<void> {
  const { tenants, partitions } = options;
  const parts: Part[] = [];
  for (const [tenant, buffer] of generation.tenants) {
    if (!buffer.isEmpty) parts.push({ tenant, buffer, number: await tenants.numberOf(tenant) });
  }
  try {
    await writeOnce(generation, parts, options);
  } catch (error) {
    if (!partitions || codeOf(error) !== NO_PARTITION) throw error;
    // Another process has dropped an empty one.
    partitions.forget();
    await writeOnce(generation, parts, options);
  }
}

async function writeOnce(generation: Generation, parts: readonly Part[], options: WriteOptions): Promise<void> {
  const { database, partitions } = options;
  await ensurePartitions(partitions, parts);
  const told = await database.transaction("writing samples", (client) => write(client, generation, parts, options));
  for (const summary of told) summary.entry.stored(summary);
}

async function write(
  client: Client,
  { lastPosition }: Generation,
  parts: readonly Part[],
  { writer, copyIn, tenants }: WriteOptions,
): Promise<readonly SeriesSummary[]> {
  // Waits for a try whose connection was lost and that is still under way.
  const { rows } = await client.query("SELECT position FROM writers WHERE name = $1 FOR UPDATE", [writer]);
  if (Number(rows[0]?.position ?? -1) >= lastPosition) return [];
  await lockTenants(client, parts, tenants);
  const told: SeriesSummary[] = [];
  for (const { tenant, number, buffer } of parts) {
    const news = buffer.sealed.filter((summary) => summary.entry.isNews(summary));
    await internSeries(client, tenant, number, news);
    told.push(...news);
  }
  const flush = BigInt((await client.query("SELECT nextval('flushes') AS flush")).rows[0].flush);
  const samples = parts
    .filter(({ buffer }) => buffer.length > 0)
    .map(({ number, buffer }) => ({ tenantNumber: number, buffer }));
  if (samples.length > 0) await (copyIn ? copySamples : insertSamples)(client, flush, samples);
  for (const part of parts) {
    await insertHistograms(client, flush, part);
    await insertExemplars(client, part);
    await upsertMetadata(client, part);
    const { buffer, number } = part;
    await noteChanges(client, number, minutesOf(buffer.timesMs, buffer.length, buffer.histograms));
  }
  await client.query("UPDATE writers SET position = $2, updated_at = now() WHERE name = $1", [writer, lastPosition]);
  return told;
}

/** Keeps deletions of these tenants out, and forgets what one of another process has made untrue. */
async function lockTenants(client: Client, parts: readonly Part[], tenants: TenantNumbers): Promise<void> {
  const numbers = parts.map(({ number }) => number).sort((a, b) => a - b);
  await client.query("SELECT pg_advisory_xact_lock_shared($1, n) FROM unnest($2::int4[]) n", [TENANT_LOCK, numbers]);
  const { rows } = await client.query("SELECT id, deletions FROM tenants WHERE id = ANY ($1)", [numbers]);
  const deletions = new Map(rows.map(({ id, deletions }) => [id as number, deletions as number]));
  for (const { number, buffer } of parts) {
    if (tenants.sawDeletions(number, deletions.get(number) ?? 0)) buffer.cache.forgetSamples();
  }
}

async function ensurePartitions(partitions: Partitions | undefined, parts: readonly Part[]): Promise<void> {
  if (!partitions) return;
  const samples = new Set<number>();
  const histograms = new Set<number>();
  for (const { buffer } of parts) {
    for (let row = 0; row < buffer.length; row++) {
      samples.add(Math.floor((buffer.timesMs[row] as number) / WINDOW_MS));
    }
    for (const { timeMs } of buffer.histograms) histograms.add(Math.floor(timeMs / WINDOW_MS));
  }
  await partitions.ensure("samples", samples);
  await partitions.ensure("histograms", histograms);
}

async function insertHistograms(client: Client, flush: bigint, { number, buffer }: Part): Promise<void> {
  const { histograms, cache } = buffer;
  if (histograms.length === 0) return;
  await client.query(
    `INSERT INTO histograms (time, series, flush, start, tenant, data)
     SELECT u.time, u.series, $1, u.start, $2, u.data
     FROM unnest($3::int8[], $4::int8[], $5::int8[], $6::bytea[]) AS u (time, series, start, data)`,
    [
      String(flush),
      number,
      int8Array(histograms.map(({ timeMs }) => timeMs)),
      int8Array(histograms.map(({ series }) => cache.at(series).id as bigint)),
      int8Array(histograms.map(({ startMs }) => startMs)),
      byteaArray(histograms.map(({ histogram }) => encodeHistogram(histogram))),
    ],
  );
}

async function insertExemplars(client: Client, { number, buffer }: Part): Promise<void> {
  const { exemplars, cache } = buffer;
  if (exemplars.length === 0) return;
  await client.query(
    `INSERT INTO exemplars (tenant, series, time, digest, value, labels)
     SELECT $1, u.series, u.time, u.digest, u.value, convert_from(u.labels, 'UTF8')
     FROM unnest($2::int8[], $3::int8[], $4::int8[], $5::float8[], $6::bytea[])
       AS u (series, time, digest, value, labels)
     ORDER BY 2, 3, 4 ON CONFLICT DO NOTHING`,
    [
      number,
      int8Array(exemplars.map(({ series }) => cache.at(series).id as bigint)),
      int8Array(exemplars.map(({ timeMs }) => timeMs)),
      int8Array(exemplars.map(({ value, labels }) => digest64(`${value}\u0000${labelsKey(labels)}`))),
      float8Array(Float64Array.from(exemplars, ({ value }) => value)),
      byteaArray(exemplars.map(({ labels }) => Buffer.from(formatLabelPairs(labels)))),
    ],
  );
}

async function upsertMetadata(client: Client, { number, buffer }: Part): Promise<void> {
  const all = [...buffer.metadata.values()];
  if (all.length === 0) return;
  await client.query(
    `INSERT INTO metadata AS m (tenant, digest, metadata)
     SELECT $1, u.digest, convert_from(u.metadata, 'UTF8')
     FROM unnest($2::int8[], $3::bytea[]) AS u (digest, metadata)
     ORDER BY u.digest
     ON CONFLICT (tenant, digest) DO UPDATE SET metadata = excluded.metadata WHERE m.metadata <> excluded.metadata`,
    [
      number,
      int8Array(all.map(({ metric }) => metadataDigest(metric))),
      byteaArray(all.map((metadata) => Buffer.from(JSON.stringify(metadata)))),
    ],
  );
}

/** What stands for a metric's name in the table of metadata. */
export function metadataDigest(metric: string): bigint {
  return digest64(metric);
}
