import type { SetOperator, VectorMatching } from "../ast.ts";
import type { Grid } from "../eval/grid.ts";
import { mergeSameLabels } from "../eval/merge-series.ts";
import { ABSENT, StepSeries } from "../eval/step-series.ts";
import { SignatureIndex } from "./signature.ts";

/** `and`, `unless` and `or`: samples of one side, by whether the other has any of the same signature at that step. */
export function setOperation(
  op: SetOperator,
  left: readonly StepSeries[],
  right: readonly StepSeries[],
  matching: VectorMatching,
  grid: Grid,
): StepSeries[] {
  const index = new SignatureIndex(matching);
  if (op === "or") {
    const present = presence(left, index, grid);
    const added = right.map((series) => masked(series, present.get(index.ordinal(series.labels)), false));
    const all = [...left, ...added.filter((series) => series !== undefined)];
    return grid.steps === 1 ? all : mergeSameLabels(all);
  }
  const present = presence(right, index, grid);
  return left
    .map((series) => masked(series, present.get(index.ordinal(series.labels)), op === "and"))
    .filter((series) => series !== undefined);
}

/** For each signature the steps at which any of the series has a sample. */
function presence(series: readonly StepSeries[], index: SignatureIndex, grid: Grid): Map<number, Uint8Array> {
  const present = new Map<number, Uint8Array>();
  for (const { labels, kinds } of series) {
    const ordinal = index.ordinal(labels);
    let steps = present.get(ordinal);
    if (!steps) {
      steps = new Uint8Array(grid.steps);
      present.set(ordinal, steps);
    }
    for (let step = 0; step < kinds.length; step++) if (kinds[step] !== ABSENT) steps[step] = 1;
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
