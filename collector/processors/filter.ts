import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { z } from "zod";
import { withoutLogRows, withoutSpanRows } from "./keep-rows.ts";
import { CompiledMatch, rowMatch } from "./row-match.ts";
import { RowSet } from "./row-set.ts";
import { DROP_SERIES, type SeriesFunction } from "./series-mapper.ts";
import type { Stage } from "./stage.ts";
import { endsStep, type Steps } from "./steps.ts";

/** Leaves out the rows that match (`drop`), or those that don't (`keep`). */
export const filterConfig = z.strictObject({
  kind: z.literal("filter"),
  action: z.enum(["drop", "keep"]).default("drop"),
  match: z.array(rowMatch).min(1).max(500).describe("A row matches when one of these does"),
});
type FilterConfig = z.output<typeof filterConfig>;

export function filterSeries(config: FilterConfig): SeriesFunction {
  const matches = config.match.map((match) => new CompiledMatch(match));
  const dropMatching = config.action === "drop";
  return {
    name: "filter",
    map: (labels) => (matches.some((match) => match.series(labels)) === dropMatching ? DROP_SERIES : labels),
  };
}

export function filterLogs(config: FilterConfig): Stage<LogBatch> {
  const matches = config.match.map((match) => new CompiledMatch(match));
  return {
    name: "filter",
    *apply(batch, _decision, pass) {
      const tests = matches.map((match) => match.logs(batch));
      const dropped = yield* rowsToDrop(batch.length, tests, config.action);
      pass.drop("filter", dropped.size);
      return withoutLogRows(batch, dropped);
    },
  };
}

export function filterSpans(config: FilterConfig): Stage<SpanBatch> {
  const matches = config.match.map((match) => new CompiledMatch(match));
  return {
    name: "filter",
    *apply(batch, _decision, pass) {
      const tests = matches.map((match) => match.spans(batch));
      const dropped = yield* rowsToDrop(batch.length, tests, config.action);
      pass.drop("filter", dropped.size);
      return withoutSpanRows(batch, dropped);
    },
  };
}

function* rowsToDrop(
  rows: number,
  tests: readonly ((row: number) => boolean)[],
  action: "drop" | "keep",
): Steps<RowSet> {
  const dropped = new RowSet(rows);
  const dropMatching = action === "drop";
  for (let row = 0; row < rows; row++) {
    if (tests.some((test) => test(row)) === dropMatching) dropped.add(row);
    if (endsStep(row)) yield;
  }
  return dropped;
}
