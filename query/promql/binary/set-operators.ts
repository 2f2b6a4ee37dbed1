import type { SetOperator, VectorMatching } from "../ast.ts";
import type { Grid } from "../eval/grid.ts";
import { KEY_WORK, mergeSameLabels } from "../eval/merge-series.ts";
import type { QueryContext } from "../eval/query-context.ts";
import { ABSENT, StepSeries } from "../eval/step-series.ts";
import { SignatureIndex } from "./signature.ts";

/** `and`, `unless` and `or`: samples of one side, by whether the other has any of the same signature at that step. */
export async function setOperation(
  context: QueryContext,
  op: SetOperator,
  left: readonly StepSeries[],
  right: readonly StepSeries[],
  matching: VectorMatching,
  grid: Grid,
): Promise<StepSeries[]> {
  const index = new SignatureIndex(matching);
  const isOr = op === "or";
  const present = await presence(context, isOr ? left : right, index, grid);
  const results: StepSeries[] = isOr ? left.slice() : [];
  for (const series of isOr ? right : left) {
    const kept = masked(series, present.get(index.ordinal(series.labels)), op === "and");
    if (kept) results.push(kept);
    if (context.tired(KEY_WORK + grid.steps)) await context.breathe();
  }
  return isOr && grid.steps > 1 ? mergeSameLabels(context, results) : results;
}

/** For each signature the steps at which any of the series has a sample. */
async function presence(
  context: QueryContext,
  series: readonly StepSeries[],
  index: SignatureIndex,
  grid: Grid,
): Promise<Map<number, Uint8Array>> {
  const present = new Map<number, Uint8Array>();
  for (const { labels, kinds } of series) {
    const ordinal = index.ordinal(labels);
    let steps = present.get(ordinal);
    if (!steps) {
      steps = new Uint8Array(grid.steps);
      present.set(ordinal, steps);
    }
    for (let step = 0; step < kinds.length; step++) if (kinds[step] !== ABSENT) steps[step] = 1;
    if (context.tired(KEY_WORK + grid.steps)) await context.breathe();
  }
  return present;
}

/** The series at the steps where the other side is present (or not); undefined when none are left. */
function masked(series: StepSeries, present: Uint8Array | undefined, wanted: boolean): StepSeries | undefined {
  if (!present) return wanted ? undefined : series;
  const kinds = series.kinds.slice();
  let left = 0;
  for (let step = 0; step < kinds.length; step++) {
    if ((present[step] === 1) !== wanted) kinds[step] = ABSENT;
    else if (kinds[step] !== ABSENT) left++;
  }
  return left === 0
    ? undefined
    : new StepSeries(series.labels, series.dropName, series.values, kinds, series.histograms);
}
