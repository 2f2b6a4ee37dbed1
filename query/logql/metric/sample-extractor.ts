import { parseGoDuration } from "@sightline/model/go-duration.ts";
import type { Labels } from "@sightline/model/labels.ts";
import type { Grouping, PipelineStage, RangeAggregationExpr, RangeOperation, Unwrap } from "../ast.ts";
import { parseHumanBytes } from "../parse/go-bytes.ts";
import { goNumberProblem, parseGoNumber } from "../parse/parse-number.ts";
import { type CompiledPipeline, compilePipeline } from "../pipeline/compile-pipeline.ts";
import { LabelBuilder } from "../pipeline/label-builder.ts";
import { compileLabelFilter, labelsOf } from "../pipeline/label-filter.ts";
import { type HintFilter, ParserHints, withPlainNames } from "../pipeline/parser-hints.ts";
import { withoutUnusedFormats } from "../pipeline/reorder-stages.ts";
import { PipelineRow, SAMPLE_ERROR, type Stage } from "../pipeline/stage.ts";
import type { TemplateLimits } from "../template/go-template.ts";

/** How the labels of a sample follow from those of its line. */
type Output =
  | { readonly kind: "none" }
  | { readonly kind: "by"; readonly names: readonly string[] }
  | { readonly kind: "without"; readonly names: ReadonlySet<string> };

const BYTES: ReadonlySet<RangeOperation> = new Set(["bytes_over_time", "bytes_rate"]);

/** Makes samples of lines (Loki's syntax/extractor.go and log/metrics_extraction.go). Made for one query. */
export class SampleExtractor {
  readonly pipeline: CompiledPipeline;
  readonly row: PipelineRow;
  /** The only structured metadata that matters; undefined: all of it may. */
  readonly wantedMetadata: ReadonlySet<string> | undefined;
  /** Of the last line that gave a sample. */
  value = 0;
  readonly #valueOf: (row: PipelineRow) => boolean;
  readonly #output: Output;

  /** `outer` is the grouping of a sum around the aggregation, which is done here already. Throws `ParseError`. */
  constructor(expr: RangeAggregationExpr, outer: Grouping | undefined, limits: TemplateLimits) {
    const { op, logRange } = expr;
    this.pipeline = compilePipeline(stagesOf(op, logRange.log.stages), limits);
    const grouping = outer ?? expr.grouping;
    const isSingle =
      op === "absent_over_time" || (grouping !== undefined && !grouping.without && grouping.labels.length === 0);
    const names = grouping?.labels ?? [];
    const hasGroups = names.length > 0 && !grouping?.without;
    const { unwrap } = logRange;
    // The unwrapped label is the value, and no label any more.
    const groups = unwrap && !hasGroups ? [...names, unwrap.name] : names;
    const required = withPlainNames([
      ...this.pipeline.reads,
      ...(unwrap?.filters.flatMap(labelsOf) ?? []),
      ...groups,
      ...(unwrap ? [unwrap.name] : []),
    ]);
    const hints = hintsOf({
      isSingle,
      hasGroups,
      required,
      filters: [...this.pipeline.hintFilters, ...postHints(unwrap)],
    });
    this.row = new PipelineRow(new LabelBuilder(hints));
    const wanted = [...required, ...this.pipeline.meets];
    this.wantedMetadata = (isSingle || hasGroups) && !this.pipeline.readsAnything ? new Set(wanted) : undefined;
    this.#output = isSingle
      ? { kind: "none" }
      : hasGroups
        ? { kind: "by", names: [...new Set(groups)].sort((a, b) => (a < b ? -1 : 1)) }
        : { kind: "without", names: new Set(groups) };
    this.#valueOf = valueReader(op, unwrap, (value) => {
      this.value = value;
    });
  }

  /** Runs the stages over the row, which the caller has set. False when the line gives no sample. */
  extract(stages: readonly Stage[]): boolean {
    for (const stage of stages) if (!stage.apply(this.row)) return false;
    return this.#valueOf(this.row);
  }

  /** Of the sample. Those of a line with an error are all labels, so that nobody overlooks it. */
  labels(): Labels {
    const { labels } = this.row;
    if (labels.error !== "") return labels.combined();
    if (this.#output.kind === "none") return NO_LABELS;
    if (this.#output.kind === "by") return labels.grouped(this.#output.names);
    return this.#output.names.size === 0 ? labels.combined() : labels.without(this.#output.names);
  }
}

const NO_LABELS: Labels = [];

/** A range aggregation that does not count bytes needs no line that nobody reads. */
function stagesOf(op: RangeOperation, stages: readonly PipelineStage[]): readonly PipelineStage[] {
  return BYTES.has(op) ? stages : withoutUnusedFormats(stages);
}

function hintsOf(options: {
  readonly isSingle: boolean;
  readonly hasGroups: boolean;
  readonly required: readonly string[];
  readonly filters: readonly HintFilter[];
}): ParserHints {
  const { isSingle, hasGroups, required, filters } = options;
  if (isSingle)
    return required.length > 0 ? new ParserHints({ required, filters }) : new ParserHints({ noLabels: true });
  return hasGroups ? new ParserHints({ required }) : new ParserHints({ filters });
}

function postHints(unwrap: Unwrap | undefined): readonly HintFilter[] {
  const [filter, ...others] = unwrap?.filters ?? [];
  if (!filter || others.length > 0 || filter.kind === "and" || filter.kind === "or") return [];
  const [name] = labelsOf(filter);
  return name === undefined ? [] : [{ name, passes: compileLabelFilter(filter) }];
}

function valueReader(op: RangeOperation, unwrap: Unwrap | undefined, set: (value: number) => void) {
  if (unwrap) return unwrapReader(unwrap, set);
  if (!BYTES.has(op)) {
    return () => {
      set(1);
      return true;
    };
  }
  return ({ line }: PipelineRow) => {
    set(Buffer.byteLength(line));
    return true;
  };
}

type Reading = { readonly value: number } | { readonly error: string };

const CONVERSIONS: ReadonlyMap<Unwrap["conversion"], (text: string) => Reading> = new Map([
  ["bytes", readBytes],
  ["duration", readSeconds],
  ["duration_seconds", readSeconds],
  [undefined, readNumber],
]);

function readBytes(text: string): Reading {
  const size = parseHumanBytes(text);
  return "error" in size ? size : { value: size.bytes };
}

function readSeconds(text: string): Reading {
  const duration = parseGoDuration(text);
  return "error" in duration ? duration : { value: duration.ns / 1e9 };
}

function readNumber(text: string): Reading {
  const value = parseGoNumber(text);
  return value === undefined ? { error: goNumberProblem(text) } : { value };
}

/** A line without the label gives no sample; one whose label can't be read gives 0 with an error. */
function unwrapReader({ name, conversion, filters }: Unwrap, set: (value: number) => void) {
  const read = CONVERSIONS.get(conversion) as (text: string) => Reading;
  const tests = filters.map(compileLabelFilter);
  return ({ labels }: PipelineRow) => {
    const text = labels.get(name) ?? "";
    if (text === "") return false;
    const reading = read(text);
    if ("error" in reading) labels.fail(SAMPLE_ERROR, reading.error);
    set("value" in reading ? reading.value : 0);
    for (const passes of tests) if (!passes(labels)) return false;
    return true;
  };
}
