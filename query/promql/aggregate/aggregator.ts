import type { Labels } from "@sightline/model/labels.ts";
import type { AggregateExpr } from "../ast.ts";
import type { Grid } from "../eval/grid.ts";
import type { QueryContext } from "../eval/query-context.ts";
import type { StepSeries } from "../eval/step-series.ts";

export type AggregateCall = {
  readonly context: QueryContext;
  readonly expr: AggregateExpr;
  readonly grid: Grid;
  /** The scalar parameter at every step, if the aggregation has one. */
  readonly param: Float64Array | undefined;
};

/**
 * Puts the members of one group together, one after the other in the order of the operand's series: what is kept does
 * not grow with their number.
 */
export interface GroupAggregator {
  /** The member's arrays are used again after the call. */
  add(member: StepSeries): void;
  /** What becomes of the group; called once, after the last member. */
  finish(): StepSeries[] | Promise<StepSeries[]>;
}

/** `labels` are those that all members of the group share, and that a result which is no member gets. */
export type MakeAggregator = (labels: Labels, call: AggregateCall) => GroupAggregator;
