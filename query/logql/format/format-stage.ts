import { formatGoDuration } from "@sightline/model/go-duration.ts";
import { quote } from "@sightline/model/go-quote.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { formatFloat } from "../../promql/format/format-float.ts";
import type { Extraction, LabelFilter, LabelPick, LineFilterOperand, PipelineStage } from "../ast.ts";
import { formatHumanBytes, parseHumanBytes } from "../parse/go-bytes.ts";

export function formatMatcher({ name, op, value }: Matcher): string {
  return `${name}${op}${quote(value)}`;
}

type Formatters = { readonly [K in PipelineStage["kind"]]: (stage: Extract<PipelineStage, { kind: K }>) => string };

const FORMATTERS: Formatters = {
  "line-filter": ({ op, operands }) => {
    // Of a negative filter none may be found: as many filters.
    const separator = op.startsWith("!") ? ` ${op} ` : " or ";
    return `${op} ${operands.map(formatOperand).join(separator)}`;
  },
  "label-filter": ({ filter }) => `| ${formatLabelFilter(filter)}`,
  json: ({ extractions }) => `| json${formatExtractions(extractions)}`,
  logfmt: ({ strict, keepEmpty, extractions }) =>
    `| logfmt${strict ? " --strict" : ""}${keepEmpty ? " --keep-empty" : ""}${formatExtractions(extractions)}`,
  regexp: ({ source }) => `| regexp ${quote(source)}`,
  pattern: ({ pattern }) => `| pattern ${quote(pattern)}`,
  unpack: () => "| unpack",
  "line-format": ({ template }) => `| line_format ${quote(template)}`,
  "label-format": ({ formats }) =>
    `| label_format ${formats.map((one) => `${one.name}=${one.kind === "rename" ? one.from : quote(one.template)}`).join(",")}`,
  decolorize: () => "| decolorize",
  drop: ({ labels }) => `| drop ${labels.map(formatPick).join(",")}`,
  keep: ({ labels }) => `| keep ${labels.map(formatPick).join(",")}`,
};

/** A stage as Loki prints it (its String method). */
export function formatStage(stage: PipelineStage): string {
  return (FORMATTERS[stage.kind] as (stage: PipelineStage) => string)(stage);
}

function formatOperand({ text, isIp }: LineFilterOperand): string {
  return isIp ? `ip(${quote(text)})` : quote(text);
}

function formatExtractions(extractions: readonly Extraction[]): string {
  return extractions.length === 0 ? "" : ` ${extractions.map(({ name, path }) => `${name}=${quote(path)}`).join(",")}`;
}

function formatPick({ name, matcher }: LabelPick): string {
  return matcher ? formatMatcher(matcher) : name;
}

export function formatLabelFilter(filter: LabelFilter): string {
  switch (filter.kind) {
    case "and":
      return `( ${formatLabelFilter(filter.left)} , ${formatLabelFilter(filter.right)} )`;
    case "or":
      return `( ${formatLabelFilter(filter.left)} or ${formatLabelFilter(filter.right)} )`;
    case "matcher":
      return formatMatcher(filter.matcher);
    case "ip":
      return `${filter.name}${filter.op}ip(${quote(filter.pattern)})`;
    case "number":
      return `${filter.name}${filter.op}${formatFloat(filter.value)}`;
    case "duration":
      return `${filter.name}${filter.op}${formatGoDuration(filter.value)}`;
    default:
      return `${filter.name}${filter.op}${formatSize(filter.value)}`;
  }
}

/** Rounded as Loki has it only where nothing is lost. */
function formatSize(bytes: number): string {
  const human = formatHumanBytes(bytes);
  const read = parseHumanBytes(human);
  return "bytes" in read && read.bytes === bytes ? human : `${bytes}B`;
}
