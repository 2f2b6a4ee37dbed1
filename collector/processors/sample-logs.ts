import type { LogBatch } from "@sightline/model/log-batch.ts";
import { z } from "zod";
import { EditableColumns } from "./editable-columns.ts";
import { withoutLogRows } from "./keep-rows.ts";
import { RowSet } from "./row-set.ts";
import { severityOf } from "./severity.ts";
import { unitHash } from "./stable-hash.ts";
import type { Stage } from "./stage.ts";
import { endsStep } from "./steps.ts";

const ratio = z.number().min(0).max(1).default(1);

/**
 * Keeps a part of the log records of each severity. A record that belongs to a trace is kept or not with the others of
 * its trace and severity. What is kept has the ratio as an attribute: divide by it to get the true count.
 */
export const sampleLogsConfig = z.strictObject({
  kind: z.literal("sample_logs"),
  trace: ratio,
  debug: ratio,
  info: ratio,
  warn: ratio,
  error: ratio,
  fatal: ratio,
  unspecified: ratio.describe("Records without a severity"),
  mark: z.string().min(1).default("sightline.sampling.ratio").describe("The attribute that says the ratio"),
});

export function sampleLogs(config: z.output<typeof sampleLogsConfig>): Stage<LogBatch> {
  return {
    name: "sample_logs",
    *apply(batch, _decision, pass) {
      const dropped = new RowSet(batch.length);
      const columns = new EditableColumns(batch.attributes, batch.length);
      for (let row = 0; row < batch.length; row++) {
        if (endsStep(row)) yield;
        const wanted = config[severityOf(batch.severities[row] as number) ?? "unspecified"];
        if (wanted === 1) continue;
        if (unitHash(identity(batch, row)) >= wanted) dropped.add(row);
        else columns.set(config.mark, row, { type: "double", value: String(wanted) });
      }
      pass.drop("sample_logs", dropped.size);
      return withoutLogRows({ ...batch, attributes: columns.build() }, dropped);
    },
  };
}

/** The same when a sender repeats a request; different for equal records of one request. */
function identity(batch: LogBatch, row: number): string {
  return batch.traceIds[row] || `${batch.timesNs[row]} ${row} ${batch.bodies[row]}`;
}
