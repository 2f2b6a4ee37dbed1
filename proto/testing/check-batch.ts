import { isUtf8 } from "node:buffer";
import type { Labels } from "@sightline/model/labels.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { Utf8Texts } from "@sightline/model/utf8-texts.ts";
import type { Decoded } from "../wire-request.ts";

/** Throws when a batch breaks a rule of model/: whatever was sent, stores may rely on them. */
export function checkBatch(decoded: Decoded): void {
  if (decoded.signal === "metrics") checkMetrics(decoded.batch);
  else if (decoded.signal === "logs") checkLogs(decoded.batch);
  else checkSpans(decoded.batch);
  for (const { count, message } of decoded.rejected) {
    if (!(count > 0) || message.length > 10_000) throw new Error(`rejection of ${count}: ${message.slice(0, 200)}`);
  }
}

function checkMetrics(batch: MetricBatch): void {
  const count = batch.series.length;
  for (let i = 0; i < batch.length; i++) {
    if ((batch.refs[i] as number) >= count) throw new Error("a reference to no series");
    const timeMs = batch.timesMs[i] as number;
    if (!Number.isSafeInteger(timeMs) || timeMs < 0) throw new Error(`time ${timeMs}`);
  }
  for (const { ref, timeMs, histogram } of batch.histograms) {
    if (ref >= count || !Number.isSafeInteger(timeMs)) throw new Error("a misplaced histogram");
    const spanned = histogram.positiveSpans.reduce((sum, span) => sum + span.length, 0);
    if (spanned !== histogram.positiveBuckets.length) throw new Error("spans without buckets");
  }
  for (const { ref } of batch.exemplars) if (ref >= count) throw new Error("an exemplar of no series");
  // The table has every series that is interned, not only those of this request.
  for (const ref of new Set(batch.refs.subarray(0, batch.length))) checkLabels(batch.series[ref]?.labels ?? []);
}

function checkLabels(labels: Labels): void {
  for (const [i, [name, value]] of labels.entries()) {
    const before = labels[i - 1]?.[0];
    if (name === "" || value === "") throw new Error("an empty label");
    if (before !== undefined && Buffer.compare(Buffer.from(before), Buffer.from(name)) >= 0) {
      throw new Error(`label ${JSON.stringify(name)} after ${JSON.stringify(before)}`);
    }
  }
}

function checkLogs(batch: LogBatch): void {
  checkTexts(batch.bodyBytes, batch.length);
  for (const { bytes } of batch.attributes) checkTexts(bytes, batch.length);
  for (let row = 0; row < batch.length; row++) {
    if ((batch.streamRefs[row] as number) >= batch.streams.length) throw new Error("a record of no stream");
    if ((batch.severities[row] as number) > 24) throw new Error(`severity ${batch.severities[row]}`);
    if (!isHex(batch.traceIds[row]) || !isHex(batch.spanIds[row])) throw new Error("an id that is not hexadecimal");
    if (typeof batch.bodies[row] !== "string") throw new Error("a record without a body");
  }
}

function checkSpans(batch: SpanBatch): void {
  for (const { bytes } of batch.attributes) checkTexts(bytes, batch.length);
  for (let row = 0; row < batch.length; row++) {
    if ((batch.sourceRefs[row] as number) >= batch.sources.length) throw new Error("a span of no source");
    if (batch.traceIds[row]?.length !== 32 || batch.spanIds[row]?.length !== 16) throw new Error("an id of odd length");
    if (!isHex(batch.traceIds[row]) || !isHex(batch.spanIds[row])) throw new Error("an id that is not hexadecimal");
    if ((batch.durationsNs[row] as bigint) < 0n) throw new Error("a span that ends before it begins");
  }
}

function isHex(text: string | undefined): boolean {
  return text !== undefined && /^[0-9a-f]*$/.test(text);
}

function checkTexts(texts: Utf8Texts | undefined, rows: number): void {
  if (!texts) return;
  if (texts.length > rows) throw new Error("more texts than rows");
  for (let i = 0; i < texts.length; i++) {
    if (texts.start(i) > texts.end(i)) throw new Error("a text that ends before it begins");
    if (!isUtf8(texts.bytes.subarray(texts.start(i), texts.end(i)))) throw new Error("a text that is no UTF-8");
  }
  if ((texts.ends.at(-1) ?? 0) !== texts.bytes.length) throw new Error("texts that take more room than they are");
}
