import type { LabelBuilder } from "./label-builder.ts";

/** A line on its way through the stages; used again for line after line. */
export class PipelineRow {
  line = "";
  timeNs = 0n;
  readonly labels: LabelBuilder;

  constructor(labels: LabelBuilder) {
    this.labels = labels;
  }
}

/** Changes the line or its labels. */
export interface Stage {
  /** Labels that it reads, as far as that is known before. */
  readonly reads: readonly string[];
  /** Labels of which it must know whether they are there: that decides where it stops reading a line. */
  readonly meets?: readonly string[];
  /** False drops the line. */
  apply(row: PipelineRow): boolean;
}

/** A stage can't be made of what the query says. The message is Loki's; whoever compiles adds the stage to it. */
export class StageError extends Error {
  override readonly name = "StageError";
}

export const JSON_ERROR = "JSONParserErr";
export const LOGFMT_ERROR = "LogfmtParserErr";
export const LABEL_FILTER_ERROR = "LabelFilterErr";
export const SAMPLE_ERROR = "SampleExtractionErr";
export const TEMPLATE_ERROR = "TemplateFormatErr";
