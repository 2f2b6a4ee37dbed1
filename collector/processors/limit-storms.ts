import type { LogBatch } from "@sightline/model/log-batch.ts";
import { count } from "@sightline/settings/setting-types.ts";
import { z } from "zod";
import { EditableColumns } from "./editable-columns.ts";
import { withoutLogRows } from "./keep-rows.ts";
import { RowSet } from "./row-set.ts";
import type { ProcessorContext, Stage } from "./stage.ts";
import { endsStep } from "./steps.ts";
import { StormCounts } from "./storm-counts.ts";

/**
 * Of log records of one stream, severity and pattern (the body with its numbers taken out) the first `max_per_second` of
 * a second are kept. What more of them a request brings becomes one record, the first of these, that says how many it
 * stands for: nothing goes uncounted. Collectors that share something count together.
 */
export const limitStormsConfig = z.strictObject({
  kind: z.literal("limit_storms"),
  max_per_second: count(100),
  max_patterns: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe("Patterns that are counted in one second; records of more than these are kept"),
  mark: z
    .string()
    .min(1)
    .default("sightline.storm.count")
    .describe("The attribute that says for how many a record stands"),
});

const MAX_PATTERN_CHARACTERS = 256;
const NUMBERS = /[0-9a-f]{8,64}(?:-[0-9a-f]{1,16}){0,8}|\d{1,64}/gi;

export function limitStorms(
  config: z.output<typeof limitStormsConfig>,
  { tenant, sharedLimits }: ProcessorContext,
): Stage<LogBatch> {
  const counts = new StormCounts(sharedLimits, JSON.stringify([tenant, config.max_per_second]), config);
  return {
    name: "limit_storms",
    *decide(batch, receivedAtMs) {
      const patterns: string[] = [];
      for (let row = 0; row < batch.length; row++) {
        if (endsStep(row)) yield;
        patterns.push(patternOf(batch, row));
      }
      counts.begin(receivedAtMs);
      const asked = counts.learn(patterns);
      if (asked) yield asked;
      const dropped = new RowSet(batch.length);
      const stands = new Map<string, { readonly row: number; count: number }>();
      for (const [row, pattern] of patterns.entries()) {
        if (endsStep(row)) yield;
        const count = counts.see(pattern);
        if (count <= config.max_per_second) continue;
        const first = stands.get(pattern);
        if (!first) stands.set(pattern, { row, count: 1 });
        else {
          first.count++;
          dropped.add(row);
        }
      }
      return stands.size === 0 ? undefined : encode(dropped, [...stands.values()]);
    },
    apply(batch, decision, pass) {
      if (!decision) return batch;
      const { dropped, stands } = decode(decision, batch.length);
      const columns = new EditableColumns(batch.attributes, batch.length);
      for (const { row, count } of stands) columns.set(config.mark, row, { type: "int", value: String(count) });
      pass.drop("limit_storms", dropped.size);
      return withoutLogRows({ ...batch, attributes: columns.build() }, dropped);
    },
  };
}

function patternOf(batch: LogBatch, row: number): string {
  const body = (batch.bodies[row] ?? "").slice(0, MAX_PATTERN_CHARACTERS).replace(NUMBERS, "#");
  const labels = batch.streams[batch.streamRefs[row] as number]?.labels ?? [];
  return `${batch.severities[row]}\u0000${labels.join("\u0001")}\u0000${body}`;
}

type Stand = { readonly row: number; readonly count: number };

/** The bitmap, then row and count of each record that stands for others, as uint32. */
function encode(dropped: RowSet, stands: readonly Stand[]): Uint8Array {
  const bitmap = dropped.bytes;
  const encoded = Buffer.alloc(bitmap.length + 8 * stands.length);
  encoded.set(bitmap);
  stands.forEach(({ row, count }, i) => {
    encoded.writeUInt32LE(row, bitmap.length + 8 * i);
    encoded.writeUInt32LE(count, bitmap.length + 8 * i + 4);
  });
  return encoded;
}

function decode(decision: Uint8Array, rows: number): { readonly dropped: RowSet; readonly stands: readonly Stand[] } {
  const bitmapBytes = (rows + 7) >> 3;
  const bytes = Buffer.from(decision.buffer, decision.byteOffset, decision.length);
  const stands: Stand[] = [];
  for (let at = bitmapBytes; at + 8 <= bytes.length; at += 8) {
    stands.push({ row: bytes.readUInt32LE(at), count: bytes.readUInt32LE(at + 4) });
  }
  return { dropped: RowSet.from(decision.subarray(0, bitmapBytes)), stands };
}
