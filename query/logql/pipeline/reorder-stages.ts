import type { LineFilterStage, PipelineStage } from "../ast.ts";

/** Line filters that are applied together, or another stage. */
export type StageGroup =
  | { readonly kind: "line-filters"; readonly filters: readonly LineFilterStage[] }
  | { readonly kind: "stage"; readonly stage: Exclude<PipelineStage, LineFilterStage> };

/**
 * The order in which Loki applies the stages (MultiStageExpr.reorderStages): line filters come as early as they can, but
 * not before a label filter, nor before what makes a new line of it. `decolorize` is not counted among these.
 */
export function reorderStages(stages: readonly PipelineStage[]): readonly StageGroup[] {
  const ordered: StageGroup[] = [];
  let filters: LineFilterStage[] = [];
  let others: StageGroup[] = [];
  const flush = () => {
    if (filters.length > 0) ordered.push({ kind: "line-filters", filters });
    ordered.push(...others);
    filters = [];
    others = [];
  };
  for (const stage of stages) {
    if (stage.kind === "line-filter") {
      filters.push(stage);
      continue;
    }
    if (stage.kind === "label-filter") flush();
    others.push({ kind: "stage", stage });
    if (stage.kind === "label-filter" || stage.kind === "line-format" || stage.kind === "unpack") flush();
  }
  flush();
  return ordered;
}

/**
 * Leaves out each `line_format` whose line nobody looks at: no parser or line filter comes after it, and it is not counted
 * in bytes. What is wrong with its template goes unnoticed then, as in Loki (removeLineformat).
 */
export function withoutUnusedFormats(stages: readonly PipelineStage[]): readonly PipelineStage[] {
  return stages.filter(
    ({ kind }, i) => kind !== "line-format" || stages.slice(i + 1).some((later) => READS_LINE.has(later.kind)),
  );
}
const READS_LINE: ReadonlySet<PipelineStage["kind"]> = new Set([
  "line-filter",
  "json",
  "logfmt",
  "regexp",
  "pattern",
  "unpack",
]);
