import { isStaleBits } from "@sightline/model/stale.ts";
import type { MetricBatchBuilder } from "../metrics/metric-batch-builder.ts";
import { Fault, type RejectionLog } from "../metrics/rejection-log.ts";
import { isSampleTime, timeFault } from "../metrics/sample-time.ts";
import { FIXED64, VARINT, type WireReader } from "../wire/reader.ts";
import { readHistogram } from "./histogram.ts";

/**
 * Reads the `Sample` that comes next, of either version; only the second has `start_timestamp`. `createdMs` is the start
 * time of those that say none.
 */
export function appendSample(
  reader: WireReader,
  ref: number,
  builder: MetricBatchBuilder,
  rejections: RejectionLog,
  createdMs = 0,
): void {
  const outer = reader.enter("samples");
  let value = 0;
  let stale = false;
  let timeMs = 0;
  let startMs = createdMs;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === ((1 << 3) | FIXED64)) {
      reader.readFixed64();
      value = reader.view.getFloat64(reader.pos - 8, true);
      stale = isStaleBits(reader.low, reader.high);
    } else if (tag === ((2 << 3) | VARINT)) timeMs = reader.int64AsNumber();
    else if (tag === ((3 << 3) | VARINT)) startMs = reader.int64AsNumber();
    else reader.skip(tag);
  }
  reader.leave(outer);
  if (!isSampleTime(timeMs)) rejections.add(timeFault(timeMs), 1);
  else if (!isSampleTime(startMs)) rejections.add(timeFault(startMs), 1);
  else if (Number.isNaN(value)) builder.pushNan(ref, timeMs, startMs, stale);
  else builder.push(ref, timeMs, startMs, value);
}

/** As {@link appendSample} for the `Histogram` that comes next. */
export function appendHistogram(
  reader: WireReader,
  ref: number,
  builder: MetricBatchBuilder,
  rejections: RejectionLog,
  createdMs = 0,
): void {
  const outer = reader.enter("histograms");
  const sample = readHistogram(reader);
  reader.leave(outer);
  if (sample instanceof Fault) rejections.add(sample, 1);
  else if (!isSampleTime(sample.timeMs)) rejections.add(timeFault(sample.timeMs), 1);
  else if (!isSampleTime(sample.startMs)) rejections.add(timeFault(sample.startMs), 1);
  else {
    const { timeMs, histogram } = sample;
    builder.histograms.push({ ref, timeMs, startMs: sample.startMs || createdMs, histogram });
  }
}
