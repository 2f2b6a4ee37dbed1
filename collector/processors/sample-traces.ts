import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { z } from "zod";
import { EditableColumns } from "./editable-columns.ts";
import { withoutSpanRows } from "./keep-rows.ts";
import { CompiledMatch, rowMatch } from "./row-match.ts";
import { RowSet } from "./row-set.ts";
import type { Stage } from "./stage.ts";

/**
 * Keeps a part of the traces, by trace id alone: whole traces, and the same ones on every replica, as OpenTelemetry's
 * consistent probability sampling does (the last 56 bits against a threshold). What is kept has the ratio as an attribute.
 */
export const sampleTracesConfig = z.strictObject({
  kind: z.literal("sample_traces"),
  ratio: z.number().min(0).max(1),
  always: z.array(rowMatch).max(100).default([]).describe("Spans that are kept and not marked, whatever their trace"),
  mark: z.string().min(1).default("sightline.sampling.ratio").describe("The attribute that says the ratio"),
});

export function sampleTraces(config: z.output<typeof sampleTracesConfig>): Stage<SpanBatch> {
  const always = config.always.map((match) => new CompiledMatch(match));
  const mark = { type: "double", value: String(config.ratio) } as const;
  return {
    name: "sample_traces",
    apply(batch, _decision, pass) {
      if (config.ratio === 1) return batch;
      const tests = always.map((match) => match.spans(batch));
      const dropped = new RowSet(batch.length);
      const columns = new EditableColumns(batch.attributes, batch.length);
      for (let row = 0; row < batch.length; row++) {
        if (isSampled(batch.traceIds[row] as string, config.ratio)) columns.set(config.mark, row, mark);
        else if (!tests.some((test) => test(row))) dropped.add(row);
      }
      pass.drop("sample_traces", dropped.size);
      return withoutSpanRows({ ...batch, attributes: columns.build() }, dropped);
    },
  };
}

/** Whoever keeps a trace at a ratio keeps it at every higher one, too. */
export function isSampled(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-14), 16) / 2 ** 56 >= 1 - ratio;
}
