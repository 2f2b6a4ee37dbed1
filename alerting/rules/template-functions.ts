import { isIP } from "node:net";
import { parsePrometheusDuration } from "@sightline/model/go-duration.ts";
import { goPrintf } from "@sightline/model/go-template/go-printf.ts";
import { formatGoTime, UTC } from "@sightline/model/go-template/go-time.ts";
import {
  GoList,
  GoMap,
  GoStruct,
  GoTimeValue,
  type GoValue,
  Int64,
  NamedInt,
  NamedText,
  typeName,
} from "@sightline/model/go-template/go-value.ts";
import {
  ofStrings,
  type TemplateFunction,
  type TemplateFunctions,
  TemplateInterruption,
} from "@sightline/model/go-template/template-function.ts";
import { durationOf } from "@sightline/model/go-template/value-methods.ts";
import { goToLower, goToUpper, urlEncode } from "@sightline/model/go-text.ts";
import { compileRegex, type Regex } from "@sightline/model/regex.ts";
import type { RuleSample } from "@sightline/model/rules.ts";
import { humanizeSeconds } from "../templates/humanize-duration.ts";
import { sampleValue } from "./sample-value.ts";

export type QueryOutcome = { readonly samples: readonly RuleSample[] } | { readonly error: string };
/** What the functions of a rule's templates know beside their arguments. */
export type RuleTemplateContext = {
  /** Of the evaluation. */
  readonly timeMs: number;
  readonly externalUrl: string;
  /** By the text of the query. */
  readonly outcomes: ReadonlyMap<string, QueryOutcome>;
};

/** The template asks for a query that was not evaluated yet. */
export class QueryNeeded extends TemplateInterruption {
  override readonly name = "QueryNeeded";
  readonly query: string;

  constructor(query: string) {
    super(query);
    this.query = query;
  }
}

const RESULT = { name: "template.queryResult" };
const SAMPLE = { name: "*template.sample" };
const HTML = "template.HTML";
const MAX_INT64 = 2 ** 63;

/** Prometheus' functions for templates of rules (template/template.go). */
export const RULE_FUNCTIONS: TemplateFunctions<RuleTemplateContext> = {
  query: {
    parameters: ["string"],
    call: ([text], _work, { outcomes }) => {
      const outcome = outcomes.get(text as string);
      if (!outcome) throw new QueryNeeded(text as string);
      if ("error" in outcome) throw new Error(outcome.error);
      return new GoList(RESULT, outcome.samples.map(sampleOf));
    },
  },
  first: {
    parameters: ["any"],
    call: ([list]) => {
      const [first] = resultOf(list);
      if (first === undefined) throw new Error("first() called on vector with no elements");
      return first;
    },
  },
  label: { parameters: ["string", "any"], call: ([name, sample]) => labelOf(sample, name as string) },
  value: { parameters: ["any"], call: ([sample]) => fieldOf(sample, "Value") },
  strvalue: { parameters: ["any"], call: ([sample]) => labelOf(sample, "__value__") },
  args: {
    parameters: ["any"],
    isVariadic: true,
    call: (args) => new GoMap(new Map(args.map((arg, i) => [`arg${i}`, arg])), true),
  },
  reReplaceAll: {
    parameters: ["string", "string", "string"],
    call: ([pattern, replacement, text], { charactersLeft }) =>
      regex(pattern as string).replaceAll(text as string, replacement as string, false, charactersLeft),
  },
  safeHtml: ofStrings(1, (text = "") => new NamedText(HTML, text)),
  match: ofStrings(2, (pattern = "", text = "") => regex(pattern).matchesSomewhere(text)),
  title: ofStrings(1, (text = "") => text.replaceAll(/(?<![\p{L}\p{M}\p{Nd}_'’])\p{L}/gu, goToUpper)),
  toUpper: ofStrings(1, (text = "") => goToUpper(text)),
  toLower: ofStrings(1, (text = "") => goToLower(text)),
  graphLink: ofStrings(1, (text = "") => graphLink(text)),
  tableLink: ofStrings(1, (text = "") => tableLink(text)),
  sortByLabel: {
    parameters: ["string", "any"],
    call: ([name, list]) => {
      const by = (sample: GoValue) => labelOf(sample, name as string) as string;
      return new GoList(
        RESULT,
        [...resultOf(list)].sort((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0)),
      );
    },
  },
  stripPort: ofStrings(1, (text = "") => splitHostPort(text)?.host ?? text),
  stripDomain: ofStrings(1, (text = "") => stripDomain(text)),
  humanize: ofNumber((value) => scaled(value, 1_000, [..."kMGTPEZY"], [..."munpfazy"])),
  humanize1024: ofNumber((value) => scaled(value, 1_024, "ki Mi Gi Ti Pi Ei Zi Yi".split(" "), [])),
  humanizeDuration: ofNumber(humanizeSeconds),
  humanizePercentage: ofNumber((value) => `${fourDigits(value * 100)}%`),
  humanizeTimestamp: ofNumber((value) => {
    if (!Number.isFinite(value)) return fourDigits(value);
    return formatGoTime({ ns: nanoseconds(value), zone: UTC }, "2006-01-02 15:04:05.999999999 -0700 MST");
  }),
  toTime: ofNumber((value) => {
    if (!Number.isFinite(value)) throw new Error("value is NaN or Inf");
    return new GoTimeValue({ ns: nanoseconds(value), zone: UTC });
  }),
  toDuration: ofNumber((value) => durationOf(Number.isFinite(value) ? BigInt(Math.trunc(value * 1e9)) : 0n)),
  now: { parameters: [], call: (_args, _work, { timeMs }) => timeMs / 1_000 },
  pathPrefix: { parameters: [], call: (_args, _work, { externalUrl }) => pathOf(externalUrl) },
  externalURL: { parameters: [], call: (_args, _work, { externalUrl }) => externalUrl },
  parseDuration: ofStrings(1, (text = "") => {
    const isNegative = text.startsWith("-");
    const duration = parsePrometheusDuration(isNegative ? text.slice(1) : text);
    if ("error" in duration) throw new Error(duration.error);
    return (isNegative ? -1 : 1) * (duration.ns / 1e9);
  }),
  urlQueryEscape: ofStrings(1, (text = "") => urlEncode(text)),
};

/** Relative links to where an expression is shown, as Prometheus' own interface has them. */
export function graphLink(expression: string): string {
  return `/graph?g0.expr=${urlEncode(expression)}&g0.tab=0`;
}
export function tableLink(expression: string): string {
  return `/graph?g0.expr=${urlEncode(expression)}&g0.tab=1`;
}

function sampleOf(sample: RuleSample): GoValue {
  const labels = new GoMap(new Map(sample.labels), false);
  return new GoStruct(
    SAMPLE,
    new Map<string, GoValue>([
      ["Labels", labels],
      ["Value", sampleValue(sample)],
    ]),
  );
}

function resultOf(value: GoValue | undefined): readonly GoValue[] {
  if (value instanceof GoList && value.type === RESULT) return value;
  throw new Error(`wrong type for value; expected template.queryResult; got ${typeName(value ?? null)}`);
}

function fieldOf(value: GoValue | undefined, name: string): GoValue {
  const field = value instanceof GoStruct && value.type === SAMPLE ? value.fields.get(name) : undefined;
  if (field === undefined) {
    throw new Error(`wrong type for value; expected *template.sample; got ${typeName(value ?? null)}`);
  }
  return field;
}

function labelOf(sample: GoValue | undefined, name: string): GoValue {
  return (fieldOf(sample, "Labels") as GoMap).get(name);
}

function regex(pattern: string): Regex {
  return compileRegex(pattern);
}

function ofNumber(call: (value: number) => GoValue): TemplateFunction {
  return { parameters: ["any"], call: ([value]) => call(numberOf(value ?? null)) };
}

/** ConvertToFloat of prometheus/common/helpers/templates. */
function numberOf(value: GoValue): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Int64) return Number(value.value);
  if (value instanceof NamedInt && value.typeName === "time.Duration") return Number(value.value) / 1e9;
  if (typeof value === "string") return parseFloat64(value);
  throw new Error(`can't convert ${typeName(value)} to float`);
}

function parseFloat64(text: string): number {
  const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(text);
  if (special) {
    if (/nan/i.test(text)) return Number.NaN;
    return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const value = /^[+-]?(?:0[xX][\da-fA-F]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/.test(text)
    ? Number(text)
    : Number.NaN;
  if (Number.isNaN(value)) throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  return value;
}

function fourDigits(value: number): string {
  return goPrintf("%.4g", [value]);
}

function scaled(value: number, base: number, larger: readonly string[], smaller: readonly string[]): string {
  if (value === 0 || !Number.isFinite(value)) return fourDigits(value);
  let [rest, unit] = [value, ""];
  if (Math.abs(value) >= 1) {
    for (const next of larger) {
      if (Math.abs(rest) < base) break;
      unit = next;
      rest /= base;
    }
  } else {
    for (const next of smaller) {
      if (Math.abs(rest) >= 1) break;
      unit = next;
      rest *= base;
    }
  }
  return fourDigits(rest) + unit;
}

function nanoseconds(seconds: number): bigint {
  const ns = seconds * 1e9;
  if (Math.abs(ns) >= MAX_INT64) {
    throw new Error(`${seconds} cannot be represented as a nanoseconds timestamp since it overflows int64`);
  }
  return BigInt(Math.trunc(ns));
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname.replace(/^\/$/, "") : "";
}

/** net.SplitHostPort; undefined where it fails. */
function splitHostPort(text: string): { readonly host: string; readonly port: string } | undefined {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(text);
  return match ? { host: match[1] ?? match[2] ?? "", port: match[3] ?? "" } : undefined;
}

function stripDomain(text: string): string {
  const { host, port } = splitHostPort(text) ?? { host: text, port: "" };
  if (isIP(host) !== 0) return text;
  const [name = ""] = host.split(".");
  return port === "" ? name : `${name}:${port}`;
}
