import { CorruptionError } from "@sightline/model/errors.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/**
 * Start times of a chunk as runs. A run is either one start time (cumulative series) or one distance to the sample's
 * own time (delta series, whose start is the time before).
 */
export function writeStarts(startsMs: Float64Array, timesMs: Float64Array, length: number, out: ByteWriter): void {
  let before = 0;
  for (let from = 0; from < length; ) {
    const start = startsMs[from] as number;
    const distance = (timesMs[from] as number) - start;
    let same = from + 1;
    while (same < length && startsMs[same] === start) same++;
    let distant = from + 1;
    while (distant < length && (timesMs[distant] as number) - (startsMs[distant] as number) === distance) distant++;
    const byDistance = distant > same;
    const to = byDistance ? distant : same;
    out.varint((to - from) * 2 + (byDistance ? 1 : 0));
    out.zigzag(byDistance ? distance : start - before);
    if (!byDistance) before = start;
    from = to;
  }
}

export function readStarts(
  input: ByteReader,
  timesMs: Float64Array,
  length: number,
  out: Float64Array,
  at: number,
): void {
  let before = 0;
  for (let from = 0; from < length; ) {
    const head = input.varint();
    const run = Math.floor(head / 2);
    if (run === 0 || run > length - from) throw new CorruptionError("a run of start times is longer than its chunk");
    const value = input.zigzag();
    if (head % 2 === 1) for (let i = from; i < from + run; i++) out[at + i] = (timesMs[i] as number) - value;
    else {
      before += value;
      out.fill(before, at + from, at + from + run);
    }
    from += run;
  }
}
