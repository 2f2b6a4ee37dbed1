import type { Labels } from "@sightline/model/labels.ts";
import type { MetricMetadata } from "@sightline/model/metric-batch.ts";
import type { LabelRequest, SeriesExemplars } from "@sightline/model/metric-store.ts";
import { int8Array } from "../database/binary-array.ts";
import type { Client } from "../database/database.ts";
import { findSeries } from "./find-series.ts";
import { digest64 } from "./series-id.ts";
import { parseLabelPairs } from "./series-text.ts";

const MAX_INT8 = 2n ** 63n - 1n;

/** Of the tenant of `app.tenant`: all of them, or that of one metric. */
export async function readMetadata(client: Client, metric: string | undefined): Promise<MetricMetadata[]> {
  const { rows } =
    metric === undefined
      ? await client.query("SELECT metadata FROM metadata")
      : await client.query("SELECT metadata FROM metadata WHERE digest = $1", [String(digest64(metric))]);
  return rows.map(({ metadata }) => JSON.parse(metadata) as MetricMetadata);
}

export async function readExemplars(
  client: Client,
  request: LabelRequest,
  signal: AbortSignal,
): Promise<SeriesExemplars[]> {
  const series = await findSeries(client, request.tenant, request.matchers, undefined, signal);
  if (series.length === 0) return [];
  const { rows } = await client.query(
    `SELECT series, time, value, labels FROM exemplars
     WHERE series = ANY ($1::int8[]) AND time BETWEEN $2 AND $3 ORDER BY time, digest`,
    [int8Array(series.map(({ id }) => id)), clamped(request.range.startMs), clamped(request.range.endMs)],
  );
  const labelsById = new Map(series.map(({ id, labels }) => [String(id), labels]));
  const found = new Map<Labels, { timeMs: number; value: number; labels: Labels }[]>();
  for (const { series: id, time, value, labels } of rows) {
    const owner = labelsById.get(id) as Labels;
    const exemplar = { timeMs: Number(time), value: value as number, labels: parseLabelPairs(labels) };
    const known = found.get(owner);
    if (known) known.push(exemplar);
    else found.set(owner, [exemplar]);
  }
  const all = Array.from(found, ([labels, exemplars]) => ({ labels, exemplars }));
  return request.limit ? all.slice(0, request.limit) : all;
}

function clamped(timeMs: number): string {
  if (Math.abs(timeMs) < 2 ** 62) return String(BigInt(Math.trunc(timeMs)));
  return String(timeMs < 0 ? -MAX_INT8 : MAX_INT8);
}
