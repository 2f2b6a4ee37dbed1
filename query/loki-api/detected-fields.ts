import { parseGoDuration } from "@sightline/model/go-duration.ts";
import { lokiLabelName } from "@sightline/model/loki-label-name.ts";
import { parseHumanBytes } from "../logql/parse/go-bytes.ts";
import { jsonStage } from "../logql/pipeline/json-stages.ts";
import { ERROR, ERROR_DETAILS, LabelBuilder, PRESERVE_ERROR } from "../logql/pipeline/label-builder.ts";
import { logfmtStage } from "../logql/pipeline/logfmt-stages.ts";
import { ParserHints } from "../logql/pipeline/parser-hints.ts";
import { PipelineRow } from "../logql/pipeline/stage.ts";
import type { LogEntry } from "../logql/result.ts";

export type FieldType = "string" | "int" | "float" | "boolean" | "duration" | "bytes";
type Parser = "json" | "logfmt";
export type DetectedField = {
  type: FieldType;
  readonly values: Set<string>;
  /** Empty for structured metadata. */
  readonly parsers: Set<Parser>;
  jsonPath?: readonly string[];
};

const RANGE = { start: 0, end: 0 };
const NO_FIELDS: ReadonlySet<string> = new Set([ERROR, ERROR_DETAILS, PRESERVE_ERROR]);
const MAX_PATH_DEPTH = 16;

/**
 * The fields of log lines as Loki detects them (pkg/querier/queryrange/detected_fields.go): structured metadata, what the
 * query parsed, and what the line has as JSON or else as logfmt. At most `limit` fields; by name.
 */
export function detectFields(entries: readonly LogEntry[], limit: number): Map<string, DetectedField> {
  const fields = new Map<string, DetectedField>();
  const reader = new LineReader();
  const add = (name: string, value: string, parser?: Parser) => {
    if (NO_FIELDS.has(name)) return undefined;
    let field = fields.get(name);
    if (!field) {
      if (fields.size >= limit) return undefined;
      field = { type: fieldType(value), values: new Set(), parsers: new Set() };
      fields.set(name, field);
    }
    field.values.add(value);
    if (parser) field.parsers.add(parser);
    return field;
  };
  for (const entry of entries) {
    for (const [name, value] of entry.metadata) add(name, value);
    const { parser, labels, paths } = reader.read(entry);
    for (const [name, value] of entry.parsed) add(name, value, parser);
    for (const [name, value] of labels) {
      const field = add(name, value, parser);
      const path = paths?.get(name);
      if (field && path) field.jsonPath ??= path;
    }
  }
  return new Map([...fields].sort(([a], [b]) => (a < b ? -1 : 1)));
}

class LineReader {
  readonly #row = new PipelineRow(new LabelBuilder(new ParserHints({})));
  readonly #json = jsonStage({ kind: "json", extractions: [], range: RANGE });
  readonly #logfmt = logfmtStage({ kind: "logfmt", strict: false, keepEmpty: false, extractions: [], range: RANGE });

  read({ line, stream }: LogEntry) {
    const row = this.#row;
    row.line = line;
    for (const parser of ["json", "logfmt"] as const) {
      row.labels.reset(stream, []);
      const stage = parser === "json" ? this.#json : this.#logfmt;
      if (!stage.apply(row) || row.labels.error !== "") continue;
      const labels = row.labels.categorized().parsed;
      return {
        parser,
        labels,
        paths:
          parser === "json"
            ? jsonPaths(
                line,
                stream.map(([name]) => name),
              )
            : undefined,
      };
    }
    return { parser: undefined, labels: [], paths: undefined };
  }
}

/** Where in the line the labels of the parser `json` come from. */
function jsonPaths(line: string, streamNames: readonly string[]): Map<string, readonly string[]> {
  const paths = new Map<string, readonly string[]>();
  const taken = new Set(streamNames);
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      if (path.length >= MAX_PATH_DEPTH) return;
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
      return;
    }
    const name = lokiLabelName(path.join("_"));
    paths.set(taken.has(name) ? `${name}_extracted` : name, path);
  };
  try {
    walk(JSON.parse(line), []);
  } catch {
    // The parser of the query is more lenient than JSON.parse; the paths only help.
  }
  return paths;
}

/** Loki's determineType. */
export function fieldType(value: string): FieldType {
  if (/^[+-]?\d{1,19}$/.test(value)) return "int";
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value) || /^[+-]?(inf|infinity|nan)$/i.test(value)) return "float";
  if (/^(t|T|TRUE|true|True|f|F|FALSE|false|False)$/.test(value)) return "boolean";
  if ("ns" in parseGoDuration(value)) return "duration";
  if ("bytes" in parseHumanBytes(value)) return "bytes";
  return "string";
}
