import type { AttributeColumn, Attributes } from "@sightline/model/attributes.ts";
import { attributeValue } from "@sightline/model/attributes.ts";
import { type Labels, labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import { compileRegex, type Regex } from "@sightline/model/regex.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { z } from "zod";
import { regexText } from "./regex-text.ts";
import { SEVERITIES, severityNumber } from "./severity.ts";

const STATUSES = ["unset", "ok", "error"] as const;
const byName = z.record(z.string(), regexText).default({});

/** Which rows a processor is about: those for which everything given holds. A missing attribute has the value "". */
export const rowMatch = z.strictObject({
  attributes: byName.describe("Attributes of the record or span, labels of the series: name to RE2 of the whole value"),
  resource: byName.describe("Resource attributes: name to RE2 of the whole value. Not for metrics"),
  name: regexText.optional().describe("RE2 of the whole name of the span or metric"),
  body: regexText.optional().describe("RE2 that is found somewhere in the body of the log record"),
  min_severity: z.enum(SEVERITIES).optional().describe("Log records of this severity or a higher one"),
  max_severity: z
    .enum(SEVERITIES)
    .optional()
    .describe("Log records of this severity or a lower one, without any included"),
  status: z.enum(STATUSES).optional().describe("Status of the span"),
});
export type RowMatch = z.output<typeof rowMatch>;

type Conditions = readonly (readonly [name: string, regex: Regex])[];

/** A {@link RowMatch} ready to be asked. What is about another signal does not hold. */
export class CompiledMatch {
  readonly #match: RowMatch;
  readonly #attributes: Conditions;
  readonly #resource: Conditions;
  readonly #name: Regex | undefined;
  readonly #body: Regex | undefined;

  constructor(match: RowMatch) {
    this.#match = match;
    this.#attributes = conditions(match.attributes);
    this.#resource = conditions(match.resource);
    this.#name = match.name === undefined ? undefined : compileRegex(match.name);
    this.#body = match.body === undefined ? undefined : compileRegex(match.body);
  }

  series(labels: Labels): boolean {
    const { min_severity, max_severity, status } = this.#match;
    if (this.#resource.length > 0 || this.#body || min_severity || max_severity || status) return false;
    if (this.#name && !this.#name.matchesWhole(labelValue(labels, METRIC_NAME))) return false;
    return this.#attributes.every(([name, regex]) => regex.matchesWhole(labelValue(labels, name)));
  }

  /** A test of the batch's rows. */
  logs(batch: LogBatch): (row: number) => boolean {
    const { min_severity, max_severity, status } = this.#match;
    if (this.#name || status) return () => false;
    const ofStream = this.#resources(batch.streams.map(({ resource }) => resource));
    const ofRow = this.#columns(batch.attributes);
    const min = min_severity ? severityNumber(min_severity) : 0;
    const max = max_severity ? severityNumber(max_severity) + 3 : 255;
    return (row) => {
      const severity = batch.severities[row] as number;
      if (severity < min || severity > max || !ofStream[batch.streamRefs[row] as number]) return false;
      if (this.#body && !this.#body.matchesSomewhere(batch.bodies[row] ?? "")) return false;
      return ofRow(row);
    };
  }

  /** A test of the batch's rows. */
  spans(batch: SpanBatch): (row: number) => boolean {
    const { min_severity, max_severity, status } = this.#match;
    if (this.#body || min_severity || max_severity) return () => false;
    const ofSource = this.#resources(batch.sources.map(({ resource }) => resource));
    const ofRow = this.#columns(batch.attributes);
    const code = status && STATUSES.indexOf(status);
    return (row) => {
      if (code !== undefined && batch.statusCodes[row] !== code) return false;
      if (!ofSource[batch.sourceRefs[row] as number]) return false;
      if (this.#name && !this.#name.matchesWhole(batch.names[row] ?? "")) return false;
      return ofRow(row);
    };
  }

  #resources(resources: readonly Attributes[]): readonly boolean[] {
    return resources.map((resource) =>
      this.#resource.every(([name, regex]) => regex.matchesWhole(attributeValue(resource, name))),
    );
  }

  #columns(columns: readonly AttributeColumn[]): (row: number) => boolean {
    const tests = this.#attributes.map(([name, regex]) => ({
      regex,
      columns: columns.filter((column) => column.name === name),
    }));
    return (row) => tests.every(({ regex, columns }) => regex.matchesWhole(firstValue(columns, row)));
  }
}

function conditions(byName: Readonly<Record<string, string>>): Conditions {
  return Object.entries(byName).map(([name, source]) => [name, compileRegex(source)]);
}

/** Of the columns of one name, which differ in type. */
function firstValue(columns: readonly AttributeColumn[], row: number): string {
  for (const { values } of columns) {
    const value = values[row];
    if (value !== undefined) return value;
  }
  return "";
}
