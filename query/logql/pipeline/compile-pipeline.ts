import type { LineFilter } from "@sightline/model/line-filter.ts";
import type { FieldFilter, LineHint } from "@sightline/model/log-store.ts";
import type { LineFilterStage, PipelineStage } from "../ast.ts";
import { formatStage } from "../format/format-stage.ts";
import { parseErrorOf } from "../parse/problems.ts";
import type { TemplateLimits } from "../template/go-template.ts";
import { type FormatStage, labelFormatStage, lineFormatStage } from "./format-stages.ts";
import { impliedLines } from "./implied-lines.ts";
import { jsonStage } from "./json-stages.ts";
import { compileLabelFilter, labelFilterStage, labelsOf } from "./label-filter.ts";
import { compileLineFilter, lowerLineFilter } from "./line-filter.ts";
import { logfmtStage } from "./logfmt-stages.ts";
import { type LoweredLabelFilter, lowerLabelFilter } from "./lower-label-filter.ts";
import type { HintFilter } from "./parser-hints.ts";
import { dropStage, keepStage } from "./pick-stages.ts";
import { reorderStages } from "./reorder-stages.ts";
import { type Stage, StageError } from "./stage.ts";
import { decolorizeStage, patternStage, regexpStage, unpackStage } from "./text-stages.ts";

/** The stages of a query, ready to be applied. They keep state for one line at a time: made for one query. */
export type CompiledPipeline = {
  /** What the store may filter by: no line that fails them gets through the stages. */
  readonly pushed: readonly LineFilter[];
  /** What labels must be before any stage changes them: the store may use it, the stages check it, too. */
  readonly fields: readonly FieldFilter[];
  /** What of the other lines the stages drop in any case. */
  readonly hints: readonly LineHint[];
  /** Every line that meets `pushed` gets through the line filters. */
  readonly linesPushed: boolean;
  /** Every line that meets `pushed` and `fields` gets through all stages. */
  readonly passesPushed: boolean;
  /** All stages, in the order of their application. */
  readonly stages: readonly Stage[];
  /** Those that are left when the store has applied `pushed`. */
  readonly stagesAfterStore: readonly Stage[];
  /** Labels that stages read, as far as they are known. */
  readonly reads: readonly string[];
  /** Labels of which stages must know whether they are there. */
  readonly meets: readonly string[];
  /** Some stage may read labels beside `reads`. */
  readonly readsAnything: boolean;
  /** Label filters on a single label: parsers drop a line by them as soon as they have the label. */
  readonly hintFilters: readonly HintFilter[];
};

type Entry = { readonly stage: Stage; readonly isPushed: boolean };
type Compiled = {
  -readonly [K in keyof CompiledPipeline]: CompiledPipeline[K] extends readonly (infer T)[] ? T[] : CompiledPipeline[K];
};

/** Throws `ParseError` in Loki's words for a stage that can't be made (a template, a path, an expression). */
export function compilePipeline(stages: readonly PipelineStage[], limits: TemplateLimits): CompiledPipeline {
  const compiled: Compiled = {
    pushed: [],
    fields: [],
    hints: [...impliedLines(stages)],
    linesPushed: true,
    passesPushed: true,
    stages: [],
    stagesAfterStore: [],
    reads: [],
    meets: [],
    readsAnything: false,
    hintFilters: [],
  };
  let isLineAsStored = true;
  let areLabelsAsStored = true;
  for (const group of reorderStages(stages)) {
    const described = group.kind === "stage" ? [group.stage] : group.filters;
    const entries = named(described, () =>
      group.kind === "stage"
        ? [{ stage: compileStage(group.stage, limits, compiled), isPushed: false }]
        : group.filters.map((filter) => compileFilter(filter, isLineAsStored ? compiled : undefined)),
    );
    for (const { stage, isPushed } of entries) {
      compiled.stages.push(stage);
      compiled.reads.push(...stage.reads);
      compiled.meets.push(...(stage.meets ?? []));
      if (!isPushed) compiled.stagesAfterStore.push(stage);
    }
    if (group.kind !== "stage") {
      compiled.linesPushed &&= entries.every(({ isPushed }) => isPushed);
      continue;
    }
    const { stage } = group;
    if (CHANGES_LINE.has(stage.kind)) isLineAsStored = false;
    if (stage.kind !== "label-filter") {
      areLabelsAsStored &&= KEEPS_LABELS.has(stage.kind);
      continue;
    }
    const { fields, isExact } = areLabelsAsStored ? lowerLabelFilter(stage.filter) : NOTHING;
    compiled.fields.push(...fields);
    compiled.passesPushed &&= isExact;
  }
  compiled.passesPushed &&= compiled.linesPushed;
  return compiled;
}

const NOTHING: LoweredLabelFilter = { fields: [], isExact: false };
const KEEPS_LABELS: ReadonlySet<PipelineStage["kind"]> = new Set(["line-format", "decolorize"]);

const CHANGES_LINE: ReadonlySet<PipelineStage["kind"]> = new Set(["line-format", "unpack", "decolorize"]);

/** Adds what the stage is to errors about it. */
function named<T>(stages: readonly PipelineStage[], compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const place = { start: (stages[0] as PipelineStage).range.start, end: (stages.at(-1) as PipelineStage).range.end };
    throw parseErrorOf(place, `stage '${stages.map(formatStage).join(" ")}' : ${error.message}`, error);
  }
}

function compileFilter(filter: LineFilterStage, pushTo: Compiled | undefined): Entry {
  const passes = compileLineFilter(filter);
  const lowered = pushTo && lowerLineFilter(filter);
  pushTo?.pushed.push(...(lowered?.filters ?? []));
  return { stage: { reads: [], apply: ({ line }) => passes(line) }, isPushed: lowered?.isExact ?? false };
}

function compileStage(
  stage: Exclude<PipelineStage, LineFilterStage>,
  limits: TemplateLimits,
  compiled: Compiled,
): Stage {
  switch (stage.kind) {
    case "label-filter": {
      const [name, ...others] = labelsOf(stage.filter);
      const isSimple = stage.filter.kind !== "and" && stage.filter.kind !== "or";
      if (isSimple && name !== undefined && others.length === 0) {
        compiled.hintFilters.push({ name, passes: compileLabelFilter(stage.filter) });
      }
      return labelFilterStage(stage.filter);
    }
    case "line-format":
      return noted(lineFormatStage(stage, limits), compiled);
    case "label-format":
      return noted(labelFormatStage(stage, limits), compiled);
    default:
      return compilePlain(stage);
  }
}

function noted(stage: FormatStage, compiled: Compiled): Stage {
  if (stage.readsAnything) compiled.readsAnything = true;
  return stage;
}

function compilePlain(
  stage: Exclude<PipelineStage, { kind: "line-filter" | "label-filter" | "line-format" | "label-format" }>,
): Stage {
  switch (stage.kind) {
    case "json":
      return jsonStage(stage);
    case "logfmt":
      return logfmtStage(stage);
    case "regexp":
      return regexpStage(stage);
    case "pattern":
      return patternStage(stage);
    case "unpack":
      return unpackStage();
    case "decolorize":
      return decolorizeStage();
    case "drop":
      return dropStage(stage);
    case "keep":
      return keepStage(stage);
  }
}
