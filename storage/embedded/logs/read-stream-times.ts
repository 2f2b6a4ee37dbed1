import { Breather } from "../segments/breather.ts";
import { ChunkReader } from "../segments/chunk-reader.ts";
import type { DuckDatabase } from "../segments/duck-database.ts";
import type { Segment } from "../segments/segment-directory.ts";
import { numberedRows, ROW_NUMBER, type SegmentRows } from "../segments/segment-rows.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";
import { StreamTimes } from "./stream-times.ts";

/**
 * Reads the times of all rows of a held segment, deleted ones included, and how long their bodies are. Undefined when the
 * rows are not as the index says, by which nothing could be looked up.
 */
export async function readStreamTimes(
  { info }: Pick<Segment, "info">,
  rows: Pick<SegmentRows, "dataPath" | "table">,
  index: LogSegmentIndex,
  options: { readonly withSizes: boolean; readonly database: DuckDatabase; readonly signal: AbortSignal },
): Promise<StreamTimes | undefined> {
  const breather = new Breather({ isBackground: true });
  const times = new Float64Array(info.rows).fill(Number.NaN);
  const sizes = options.withSizes ? new Float64Array(info.rows) : undefined;
  const ends = endsOf(index);
  const columns = [`${ROW_NUMBER}::UINTEGER`, "stream", `(time - (${info.minNs}))::DOUBLE`];
  if (sizes) columns.push("strlen(body)::DOUBLE");
  const sql = `SELECT ${columns.join(", ")} FROM ${numberedRows({ ...rows, deletedPaths: [] })}`;
  for await (const chunk of options.database.stream(sql, [], options.signal)) {
    const reader = new ChunkReader(chunk);
    const places = reader.unsignedIntegers(0);
    const streams = reader.unsignedIntegers(1);
    const found = reader.doubles(2);
    const lengths = sizes && reader.doubles(3);
    for (let i = 0; i < reader.length; i++) {
      const place = places[i] as number;
      const stream = streams[i] as number;
      if (place >= (ends[stream] ?? 0) || place < (ends[stream - 1] ?? 0)) return undefined;
      times[place] = found[i] as number;
      if (sizes) sizes[place] = lengths?.[i] as number;
    }
    if (breather.due) await breather.pause();
  }
  if (!areAscending(times, ends)) return undefined;
  if (sizes) addUp(sizes);
  return new StreamTimes(info.minNs, ends, { times, sizes });
}

/** Where in the file the rows of each stream end. */
function endsOf({ streams }: LogSegmentIndex): Uint32Array {
  const ends = new Uint32Array(streams.length);
  let end = 0;
  for (const [number, { rows }] of streams.entries()) {
    end += rows;
    ends[number] = end;
  }
  return ends;
}

/** In each stream; and each row has a time. */
function areAscending(times: Float64Array, ends: Uint32Array): boolean {
  let row = 0;
  for (const end of ends) {
    for (let last = 0; row < end; row++) {
      const time = times[row] ?? Number.NaN;
      if (!(time >= last)) return false;
      last = time;
    }
  }
  return row === times.length;
}

function addUp(sizes: Float64Array): void {
  for (let row = 1; row < sizes.length; row++) sizes[row] = (sizes[row] as number) + (sizes[row - 1] as number);
}
