import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { LabelFilter, PipelineStage } from "./ast.ts";
import { type CompiledPipeline, compilePipeline } from "./pipeline/compile-pipeline.ts";
import { LabelBuilder } from "./pipeline/label-builder.ts";
import { labelsOf } from "./pipeline/label-filter.ts";
import { ParserHints, withPlainNames } from "./pipeline/parser-hints.ts";
import { PipelineRow } from "./pipeline/stage.ts";
import { StructuredMetadata } from "./structured-metadata.ts";
import type { TemplateLimits } from "./template/go-template.ts";

/** Stages of which a prefilter knows what they do to the few labels that it looks at. */
const UNDERSTOOD: ReadonlySet<PipelineStage["kind"]> = new Set([
  "line-filter",
  "json",
  "logfmt",
  "pattern",
  "regexp",
  "decolorize",
  "label-filter",
]);
/** After so many rows it is known whether looking twice is worth it. */
const TRIAL_ROWS = 250;
const MAX_KEPT_SHARE = 0.5;

/**
 * Says early which rows a pipeline drops: it extracts only the labels that its filters look at, and stops reading a line
 * once it has them. What it drops, all stages would drop; what it keeps goes through all of them. Made for one query.
 */
export class RowPrefilter {
  readonly #pipeline: CompiledPipeline;
  readonly #row: PipelineRow;
  readonly #metadata: StructuredMetadata;
  #seen = 0;
  #kept = 0;

  private constructor(pipeline: CompiledPipeline, reads: readonly string[]) {
    const required = withPlainNames(reads);
    this.#pipeline = pipeline;
    this.#row = new PipelineRow(new LabelBuilder(new ParserHints({ required, filters: pipeline.hintFilters })));
    this.#metadata = new StructuredMetadata(new Set(required));
  }

  /** Undefined when there is nothing to be gained. `stages` have been compiled before: they are no error. */
  static of(stages: readonly PipelineStage[], limits: TemplateLimits): RowPrefilter | undefined {
    const unknown = stages.findIndex((stage) => !isUnderstood(stage));
    const known = unknown === -1 ? stages : stages.slice(0, unknown);
    const last = known.findLastIndex(({ kind }) => kind === "label-filter");
    if (last === -1) return undefined;
    const pipeline = compilePipeline(known.slice(0, last + 1), limits);
    return pipeline.reads.length === 0 ? undefined : new RowPrefilter(pipeline, pipeline.reads);
  }

  /** With `isExact` the store has applied the line filters that it was given. */
  drops(batch: LogBatch, row: number, isExact: boolean): boolean {
    if (this.#seen >= TRIAL_ROWS && this.#kept > this.#seen * MAX_KEPT_SHARE) return false;
    this.#seen++;
    const stream = batch.streams[batch.streamRefs[row] as number] as LogStream;
    this.#row.line = batch.bodies[row] as string;
    this.#row.timeNs = batch.timesNs[row] as bigint;
    this.#row.labels.reset(stream.labels, this.#metadata.of(batch, row));
    const { stages, stagesAfterStore } = this.#pipeline;
    for (const stage of isExact ? stagesAfterStore : stages) if (!stage.apply(this.#row)) return true;
    this.#kept++;
    return false;
  }
}

function isUnderstood(stage: PipelineStage): boolean {
  if (!UNDERSTOOD.has(stage.kind)) return false;
  return stage.kind !== "label-filter" || !heedsErrors(stage.filter);
}

/** Whether a line has errors (`__error__`) is known only when all of it has been read. */
function heedsErrors(filter: LabelFilter): boolean {
  if (filter.kind === "and" || filter.kind === "or") return heedsErrors(filter.left) || heedsErrors(filter.right);
  return filter.kind === "ip" || labelsOf(filter).some((name) => name.startsWith("__"));
}
