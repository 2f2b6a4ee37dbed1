import type { Grouping, PipelineStage, RangeAggregationExpr, RangeOperation } from "../ast.ts";
import { DETECTED_LEVEL, LEVEL_FIELDS } from "../detected-level.ts";
import type { CompiledPipeline } from "../pipeline/compile-pipeline.ts";
import { labelsOf } from "../pipeline/label-filter.ts";
import { isStoredLabel } from "../pipeline/lower-label-filter.ts";
import { withoutUnusedFormats } from "../pipeline/reorder-stages.ts";

/** How records can be counted by the store instead of being read. */
export type CountPlan = {
  /** Labels that tell records apart, as far as the query looks at them. */
  readonly by: readonly string[];
  /** `detected_level` is one of them: it follows from {@link LEVEL_SOURCES}, or else from the line. */
  readonly needsLevel: boolean;
  readonly withBytes: boolean;
};

/** Labels of which the level of a record is known without its line; the last is OpenTelemetry's number. */
export const LEVEL_SOURCES: readonly string[] = [
  DETECTED_LEVEL,
  ...LEVEL_FIELDS.filter((name) => !name.includes(".")),
  "severity_number",
];

const COUNTED: ReadonlySet<RangeOperation> = new Set(["count_over_time", "rate", "absent_over_time"]);
const SIZED: ReadonlySet<RangeOperation> = new Set(["bytes_over_time", "bytes_rate"]);
const PARSERS: ReadonlySet<PipelineStage["kind"]> = new Set(["json", "logfmt", "pattern", "regexp", "unpack"]);

/**
 * Undefined when lines or labels matter of which the store knows nothing. `outer` is the grouping of a sum around the
 * aggregation, `pipeline` what its stages have been compiled to.
 */
export function planCount(
  expr: RangeAggregationExpr,
  outer: Grouping | undefined,
  pipeline: CompiledPipeline,
): CountPlan | undefined {
  const { op, logRange } = expr;
  const withBytes = SIZED.has(op);
  if (logRange.unwrap || !pipeline.linesPushed || !(withBytes || COUNTED.has(op))) return undefined;
  const grouping = op === "absent_over_time" ? NO_GROUPS : (outer ?? expr.grouping);
  if (!grouping || grouping.without) return undefined;
  const names = new Set(grouping.labels);
  const stages = withBytes ? logRange.log.stages : withoutUnusedFormats(logRange.log.stages);
  for (const stage of stages) {
    const read = namesReadBy(stage, withBytes);
    if (!read) return undefined;
    for (const name of read) names.add(name);
  }
  // Without a label to look for parsers do nothing.
  if (names.size > 0 && stages.some(({ kind }) => PARSERS.has(kind))) return undefined;
  for (const name of NEVER_THERE) names.delete(name);
  const needsLevel = names.delete(DETECTED_LEVEL);
  if (![...names].every(isStoredLabel)) return undefined;
  return { by: [...new Set([...names, ...(needsLevel ? LEVEL_SOURCES : [])])], needsLevel, withBytes };
}

const NO_GROUPS: Grouping = { without: false, labels: [] };
/** Without a parser nothing goes wrong; where a filter can't read a label, lines are read. */
const NEVER_THERE = ["__error__", "__error_details__", "__preserve_error__"];

/** Undefined: the stage can't be applied to labels alone. */
function namesReadBy(stage: PipelineStage, isLineCounted: boolean): readonly string[] | undefined {
  switch (stage.kind) {
    case "line-filter":
      return [];
    case "label-filter":
      return labelsOf(stage.filter);
    case "drop":
    case "keep":
      return stage.labels.flatMap(({ name, matcher }) => (matcher ? [name] : []));
    case "decolorize":
      return isLineCounted ? undefined : [];
    default:
      return PARSERS.has(stage.kind) ? [] : undefined;
  }
}
