import type { AggregateExpr } from "../ast.ts";
import type { Grid } from "../eval/grid.ts";
import type { QueryContext } from "../eval/query-context.ts";
import type { StepSeries } from "../eval/step-series.ts";
import type { Group } from "./grouping.ts";

export type AggregateCall = {
  readonly context: QueryContext;
  readonly expr: AggregateExpr;
  readonly grid: Grid;
  /** The scalar parameter at every step, if the aggregation has one. */
  readonly param: Float64Array | undefined;
};

/** Puts the members of one group together: one series with the labels of the group. */
export type GroupAggregator = (group: Group, call: AggregateCall) => Promise<StepSeries>;

/** An output series for a group. The name is to be dropped if that of any member is. */
export function membersDropName(group: Group): boolean {
  return group.members.some((member) => member.dropName);
}
