import { type Labels, labelValue } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { compileMatcher } from "@sightline/model/matcher.ts";
import type { LogExpr } from "../logql/ast.ts";
import { compilePipeline } from "../logql/pipeline/compile-pipeline.ts";
import { LabelBuilder } from "../logql/pipeline/label-builder.ts";
import { ParserHints } from "../logql/pipeline/parser-hints.ts";
import { PipelineRow, type Stage } from "../logql/pipeline/stage.ts";
import type { LogEntry } from "../logql/result.ts";
import type { StructuredMetadata } from "../logql/structured-metadata.ts";

export type TailLinesOptions = {
  readonly maxTemplateCharacters: number;
  /** Labels are sent by where they come from. */
  readonly categorize: boolean;
};
const NO_METADATA: Labels = [];

/**
 * Finds the lines of a log query in batches that never went through a store. As in Loki (pkg/ingester/tailer.go) those of a
 * query without stages come with the labels of their stream alone, unless labels are categorized.
 */
export class TailLines {
  readonly #matches: (stream: LogStream) => boolean;
  readonly #stages: readonly Stage[];
  readonly #row: PipelineRow;
  readonly #withMetadata: boolean;

  constructor(expr: LogExpr, { maxTemplateCharacters, categorize }: TailLinesOptions) {
    const tests = expr.matchers.map((matcher) => ({ name: matcher.name, test: compileMatcher(matcher) }));
    this.#matches = ({ labels }) => tests.every(({ name, test }) => test(labelValue(labels, name)));
    const pipeline = compilePipeline(expr.stages, { maxOutputCharacters: maxTemplateCharacters });
    this.#stages = pipeline.stages;
    this.#withMetadata = categorize || expr.stages.length > 0;
    this.#row = new PipelineRow(new LabelBuilder(new ParserHints({ filters: pipeline.hintFilters })));
  }

  /** Rows of the streams that the query selects. */
  rowsOf(batch: LogBatch): number[] {
    const wanted = batch.streams.map(this.#matches);
    const rows: number[] = [];
    if (!wanted.includes(true)) return rows;
    for (let row = 0; row < batch.length; row++) if (wanted[batch.streamRefs[row] as number]) rows.push(row);
    return rows;
  }

  /** The entry of a row, undefined when a stage drops it. */
  entry(batch: LogBatch, row: number, metadata: StructuredMetadata): LogEntry | undefined {
    const state = this.#row;
    const { labels } = batch.streams[batch.streamRefs[row] as number] as LogStream;
    const timeNs = batch.timesNs[row] as bigint;
    state.line = batch.bodies[row] as string;
    state.timeNs = timeNs;
    state.labels.reset(labels, this.#withMetadata ? metadata.of(batch, row) : NO_METADATA);
    for (const stage of this.#stages) if (!stage.apply(state)) return undefined;
    return { timeNs, line: state.line, ...state.labels.categorized() };
  }

  /** An entry that a query of the store gave, with the labels of {@link entry}. */
  asTailed(entry: LogEntry): LogEntry {
    return this.#withMetadata ? entry : { ...entry, metadata: NO_METADATA };
  }
}
