import { UTC } from "@sightline/model/go-template/go-time.ts";
import { GoMap } from "@sightline/model/go-template/go-value.ts";
import { TemplateSyntaxError } from "@sightline/model/go-template/parse-template.ts";
import { TemplateExecutionError } from "@sightline/model/go-template/template-budget.ts";
import type { LabelFormat, LabelFormatStage, LineFormatStage } from "../ast.ts";
import { GoTemplate, type TemplateLimits } from "../template/go-template.ts";
import { ERROR, type LabelBuilder } from "./label-builder.ts";
import { type PipelineRow, type Stage, StageError, TEMPLATE_ERROR } from "./stage.ts";

/** A stage with a template; `readsAnything` when its text does not show which labels it reads. */
export type FormatStage = Stage & { readonly readsAnything: boolean };

/** `| line_format "…"`. Throws {@link StageError} for a template that can't be read. */
export function lineFormatStage({ template: text }: LineFormatStage, limits: TemplateLimits): FormatStage {
  const template = compile("line", text, limits, "invalid line template");
  const { onlyField } = template;
  return {
    reads: template.fields(),
    readsAnything: template.readsAnything,
    apply(row) {
      if (onlyField !== undefined) row.line = row.labels.get(onlyField) ?? "";
      else row.line = run(template, row, dataOf(row.labels)) ?? row.line;
      return true;
    },
  };
}

/** `| label_format a=b, c="…"`. Throws {@link StageError}. */
export function labelFormatStage({ formats }: LabelFormatStage, limits: TemplateLimits): FormatStage {
  checkNames(formats);
  const steps = formats.map((format) => {
    if (format.kind === "rename") return { ...format, template: undefined };
    const problem = `invalid template for label '${format.name}'`;
    return { name: format.name, from: "", template: compile("label", format.template, limits, problem) };
  });
  const templates = steps.flatMap(({ template }) => template ?? []);
  return {
    reads: steps.flatMap(({ from, template }) => template?.fields() ?? [from]),
    readsAnything: templates.some((template) => template.readsAnything),
    apply(row) {
      let data: GoMap | undefined;
      for (const { name, from, template } of steps) {
        if (!template) {
          rename(row.labels, name, from);
          continue;
        }
        // The labels as they are before the first template; those that the others set show in them only if there were none.
        if (!data || data.entries.size === 0) data = dataOf(row.labels);
        const value = run(template, row, data);
        if (value !== undefined) row.labels.set(name, value);
      }
      return true;
    },
  };
}

function checkNames(formats: readonly LabelFormat[]): void {
  const names = new Set<string>();
  for (const { name } of formats) {
    if (name === ERROR) throw new StageError(`${name} cannot be formatted`);
    if (names.has(name)) {
      throw new StageError(`multiple label name '${name}' not allowed in a single format operation`);
    }
    names.add(name);
  }
}

function rename(labels: LabelBuilder, name: string, from: string): void {
  const value = labels.get(from);
  if (value === undefined) return;
  labels.set(name, value);
  labels.delete(from);
}

function compile(name: "line" | "label", text: string, limits: TemplateLimits, problem: string): GoTemplate {
  try {
    return new GoTemplate(name, text, limits);
  } catch (cause) {
    if (!(cause instanceof TemplateSyntaxError)) throw cause;
    throw new StageError(`${problem}: ${cause.message}`, { cause });
  }
}

function dataOf(labels: LabelBuilder): GoMap {
  return new GoMap(new Map(labels.all()), false);
}

/** Undefined, with the error noted, when the template fails. */
function run(template: GoTemplate, { line, timeNs, labels }: PipelineRow, data: GoMap): string | undefined {
  try {
    return template.execute({ data, line, time: { ns: timeNs, zone: UTC } });
  } catch (error) {
    if (!(error instanceof TemplateExecutionError)) throw error;
    labels.fail(TEMPLATE_ERROR, error.message);
    return undefined;
  }
}
