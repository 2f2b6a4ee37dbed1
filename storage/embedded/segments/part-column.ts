import type { DuckDBType, DuckDBValue } from "@duckdb/node-api";
import type { RowPart, SegmentColumn } from "./segment-codec.ts";

/** A column whose values are computed row by row. */
export function partColumn<Batch>(
  parts: readonly RowPart<Batch>[],
  name: string,
  type: DuckDBType,
  valueAt: (batch: Batch, row: number, part: number) => DuckDBValue | undefined,
): SegmentColumn {
  return {
    name,
    type,
    fill: (out, at, part, from, to) => {
      const { batch, rows } = parts[part] as RowPart<Batch>;
      for (let i = from; i < to; i++) out[at + i - from] = valueAt(batch, rows[i] as number, part) ?? null;
    },
  };
}
