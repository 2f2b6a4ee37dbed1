import type { Attribute, AttributeColumn, Attributes } from "@sightline/model/attributes.ts";
import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import type { SpanBatch, SpanSource } from "@sightline/model/span-batch.ts";
import { rfc3339Ns } from "../http/rfc3339-ns.ts";

/**
 * Rows of an export, a JSON object each. Numbers are as JSON can say them: NaN and infinities are text, integers beyond
 * 2^53 lose digits nowhere but in the reader.
 */

/** As VictoriaMetrics' /api/v1/export: one object per series, with histograms beside the floats. */
export function seriesRow({ labels, timesMs, values, histograms }: SeriesSlice): string {
  const metric = JSON.stringify(Object.fromEntries(labels));
  const floats = `"values":[${Array.from(values, numberText).join(",")}],"timestamps":[${timesMs.join(",")}]`;
  if (!histograms || histograms.timesMs.length === 0) return `{"metric":${metric},${floats}}`;
  const objects = histograms.values.map(histogramText);
  return `{"metric":${metric},${floats},"histograms":[${objects.join(",")}],"histogram_timestamps":[${histograms.timesMs.join(",")}]}`;
}

export function* logRows(batch: LogBatch): Generator<string> {
  const resources = batch.streams.map(({ resource, scope }) => ({
    resource: attributesText(resource),
    scope: scope.name,
  }));
  for (let row = 0; row < batch.length; row++) {
    const ref = batch.streamRefs[row] as number;
    const { resource, scope } = resources[ref] as (typeof resources)[number];
    const observed = batch.observedNs[row] as bigint;
    yield object([
      ["time", text(rfc3339Ns(batch.timesNs[row] as bigint))],
      ["observed_time", observed === 0n ? undefined : text(rfc3339Ns(observed))],
      ["severity_number", String(batch.severities[row])],
      ["severity", text(batch.severityTexts[row])],
      ["body", text(batch.bodies[row] ?? "")],
      ["trace_id", text(batch.traceIds[row])],
      ["span_id", text(batch.spanIds[row])],
      ["labels", JSON.stringify(Object.fromEntries((batch.streams[ref] as LogStream).labels))],
      ["resource", resource],
      ["scope", text(scope)],
      ["attributes", columnsText(batch.attributes, row)],
    ]);
  }
}

export function* spanRows(batch: SpanBatch): Generator<string> {
  const resources = batch.sources.map(({ resource }: SpanSource) => attributesText(resource));
  for (let row = 0; row < batch.length; row++) {
    const ref = batch.sourceRefs[row] as number;
    yield object([
      ["trace_id", text(batch.traceIds[row])],
      ["span_id", text(batch.spanIds[row])],
      ["parent_span_id", text(batch.parentSpanIds[row])],
      ["name", text(batch.names[row] ?? "")],
      ["kind", String(batch.kinds[row])],
      ["start", text(rfc3339Ns(batch.startsNs[row] as bigint))],
      ["duration_ns", String(batch.durationsNs[row])],
      ["status_code", String(batch.statusCodes[row])],
      ["status_message", text(batch.statusMessages[row])],
      ["resource", resources[ref]],
      ["scope", text((batch.sources[ref] as SpanSource).scope.name)],
      ["attributes", columnsText(batch.attributes, row)],
      [
        "events",
        listText(batch.events[row], (event) => {
          return object([
            ["time", text(rfc3339Ns(event.timeNs))],
            ["name", text(event.name)],
            ["attributes", attributesText(event.attributes)],
          ]);
        }),
      ],
      [
        "links",
        listText(batch.links[row], (link) => {
          return object([
            ["trace_id", text(link.traceId)],
            ["span_id", text(link.spanId)],
            ["attributes", attributesText(link.attributes)],
          ]);
        }),
      ],
    ]);
  }
}

type Field = readonly [name: string, json: string | undefined];

function object(fields: readonly Field[]): string {
  return `{${fields.flatMap(([name, json]) => (json === undefined ? [] : [`"${name}":${json}`])).join(",")}}`;
}

/** undefined for what there is none of. */
function text(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : JSON.stringify(value);
}

function listText<T>(items: readonly T[] | undefined, encode: (item: T) => string): string | undefined {
  return items && items.length > 0 ? `[${items.map(encode).join(",")}]` : undefined;
}

function attributesText(attributes: Attributes): string {
  return `{${attributes.map((attribute) => `${JSON.stringify(attribute.name)}:${valueText(attribute)}`).join(",")}}`;
}

function columnsText(columns: readonly AttributeColumn[], row: number): string {
  const fields: string[] = [];
  for (const { name, type, values } of columns) {
    const value = values[row];
    if (value !== undefined) fields.push(`${JSON.stringify(name)}:${valueText({ name, type, value })}`);
  }
  return `{${fields.join(",")}}`;
}

/** Texts of these types are JSON already, but for doubles that JSON can't say. */
function valueText({ type, value }: Attribute): string {
  if (type === "int" || type === "bool" || type === "json") return value;
  if (type === "double" && Number.isFinite(Number(value))) return value;
  return JSON.stringify(value);
}

function numberText(value: number): string {
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

function histogramText({ positiveBuckets, negativeBuckets, customValues, ...rest }: NativeHistogram): string {
  const arrays = {
    positiveBuckets: [...positiveBuckets],
    negativeBuckets: [...negativeBuckets],
    customValues: [...customValues],
  };
  return JSON.stringify({ ...rest, ...arrays }, (_key, value) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );
}
