import { InvalidInputError } from "@sightline/model/errors.ts";
import { parsePrometheusDuration } from "@sightline/model/go-duration.ts";
import type { RuleExpression, RuleLanguage } from "@sightline/model/rules.ts";
import { isMap, parseAllDocuments } from "yaml";
import { z } from "zod";
import type { MomentShare, Slo, SloIndicator } from "./slo.ts";

/** Far more than anybody writes. */
const MAX_BYTES = 1024 * 1024;
const NS_IN_MS = 1e-6;
const DEFAULT_SLICE_MS = 60_000;
/** What is bad when this is what is promised. */
const BAD_OPERATORS: Readonly<Record<string, string>> = { lt: ">=", lte: ">", gt: "<=", gte: "<" };

const duration = z.string().transform((text, context) => {
  const parsed = parsePrometheusDuration(text);
  if (!("error" in parsed) && parsed.ns > 0) return parsed.ns * NS_IN_MS;
  context.addIssue({ code: "custom", message: `${JSON.stringify(text)} is not a time like 5m, 1d or 4w` });
  return z.NEVER;
});

const metric = z.object({
  metricSource: z.object({ type: z.string().optional(), spec: z.object({ query: z.string().min(1) }) }),
});
type Metric = z.infer<typeof metric>;

const indicatorSpec = z.object({
  thresholdMetric: metric.optional(),
  ratioMetric: z
    .object({
      counter: z.boolean().default(false),
      good: metric.optional(),
      bad: metric.optional(),
      total: metric.optional(),
      raw: metric.optional(),
      rawType: z.enum(["success", "failure"]).optional(),
    })
    .optional(),
});
type IndicatorSpec = z.infer<typeof indicatorSpec>;

const labelValue = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat().join(","));
const metadata = z.object({
  name: z.string().min(1),
  labels: z.record(z.string().regex(/^[a-zA-Z_]\w*$/, "is not a name of a label"), labelValue).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});

const share = z.number().gt(0).lt(1);
const objective = z.object({
  displayName: z.string().optional(),
  op: z.enum(["lt", "lte", "gt", "gte"]).optional(),
  value: z.number().optional(),
  target: share.optional(),
  targetPercent: z.number().gt(0).lt(100).optional(),
  timeSliceTarget: z.number().gt(0).lte(1).optional(),
  timeSliceWindow: duration.optional(),
  indicator: z.object({ spec: indicatorSpec }).optional(),
  indicatorRef: z.string().optional(),
  compositeWeight: z.never("composites are not supported: write an SLO of each part").optional(),
});
type Objective = z.infer<typeof objective>;

const sloDocument = z.object({
  metadata,
  spec: z.object({
    service: z.string().min(1),
    indicator: z.object({ spec: indicatorSpec }).optional(),
    indicatorRef: z.string().optional(),
    timeWindow: z
      .array(
        z.object({
          duration,
          isRolling: z.literal(true, "must be true: windows that follow the calendar are not supported"),
        }),
      )
      .length(1),
    budgetingMethod: z.enum(["Occurrences", "Timeslices", "RatioTimeslices"]),
    objectives: z.array(objective).min(1),
  }),
});
type SloDocument = z.infer<typeof sloDocument>;
const sliDocument = z.object({ metadata, spec: indicatorSpec });

/**
 * Reads the objectives of a file in the format of OpenSLO v1 (github.com/OpenSLO/OpenSLO): its documents of kind `SLO`, and
 * of kind `SLI` those that they refer to. Other kinds say nothing of how to measure. Sources are of type Prometheus or Loki.
 * Throws {@link InvalidInputError} with every field that is wrong.
 */
export function readOpenSlo(text: string): readonly Slo[] {
  if (Buffer.byteLength(text) > MAX_BYTES) throw new InvalidInputError(`definitions may have ${MAX_BYTES} bytes`);
  const problems: string[] = [];
  const indicators = new Map<string, IndicatorSpec>();
  const documents: SloDocument[] = [];
  for (const { kind, value, where } of documentsOf(text)) {
    const refuse = ({ issues }: z.ZodError) =>
      problems.push(...issues.map(({ path, message }) => `${where}: ${path.join(".")}: ${message}`));
    if (kind === "SLO") {
      const { data, error } = sloDocument.safeParse(value);
      if (data) documents.push(data);
      else refuse(error);
    } else if (kind === "SLI") {
      const { data, error } = sliDocument.safeParse(value);
      if (data) indicators.set(data.metadata.name, data.spec);
      else refuse(error);
    }
  }
  const found = documents.flatMap((document) => {
    const refuse = (problem: string) => problems.push(`${document.metadata.name}: ${problem}`);
    return slosOf(document, indicators, refuse);
  });
  if (problems.length > 0) throw new InvalidInputError(problems.join("\n"));
  if (found.length === 0) throw new InvalidInputError("there is no document of kind SLO");
  return found;
}

function* documentsOf(text: string): Generator<{ kind: unknown; value: unknown; where: string }> {
  for (const [i, document] of parseAllDocuments(text).entries()) {
    const where = `document ${i + 1}`;
    const [error] = document.errors;
    if (error) throw new InvalidInputError(`${where}: ${error.message}`);
    if (!isMap(document.contents)) continue;
    const value = document.toJS({ maxAliasCount: 100 }) as { apiVersion?: unknown; kind?: unknown };
    if (value.apiVersion !== "openslo/v1") {
      throw new InvalidInputError(
        `${where}: apiVersion: must be openslo/v1, and is ${JSON.stringify(value.apiVersion)}`,
      );
    }
    yield { kind: value.kind, value, where };
  }
}

function slosOf(
  { metadata: { name, labels, annotations }, spec }: SloDocument,
  indicators: ReadonlyMap<string, IndicatorSpec>,
  refuse: (problem: string) => void,
): readonly Slo[] {
  const windowMs = spec.timeWindow[0]?.duration as number;
  const slos: Slo[] = [];
  for (const [i, asked] of spec.objectives.entries()) {
    try {
      const indicator = indicatorOf(specOf(asked, spec, indicators), asked, spec.budgetingMethod);
      const objective = spec.objectives.length > 1 ? (asked.displayName ?? String(i + 1)) : undefined;
      slos.push({
        name,
        service: spec.service,
        objective,
        indicator,
        target: targetOf(asked),
        windowMs,
        labels,
        annotations,
      });
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      refuse(`objectives.${i}: ${error.message}`);
    }
  }
  return slos;
}

function targetOf({ target, targetPercent }: Objective): number {
  if (target !== undefined) return target;
  if (targetPercent === undefined) throw new InvalidInputError("needs a target or a targetPercent");
  return targetPercent / 100;
}

/** That of the objective before that of the whole. */
function specOf(
  objective: Objective,
  whole: SloDocument["spec"],
  indicators: ReadonlyMap<string, IndicatorSpec>,
): IndicatorSpec {
  const own = objective.indicator || objective.indicatorRef !== undefined ? objective : whole;
  if (own.indicator) return own.indicator.spec;
  const reference = own.indicatorRef;
  if (reference === undefined) throw new InvalidInputError("needs an indicator or an indicatorRef");
  const known = indicators.get(reference);
  if (!known) throw new InvalidInputError(`indicatorRef: there is no SLI named ${reference}`);
  return known;
}

function indicatorOf(
  { thresholdMetric, ratioMetric }: IndicatorSpec,
  objective: Objective,
  method: SloDocument["spec"]["budgetingMethod"],
): SloIndicator {
  const everyMs = objective.timeSliceWindow ?? DEFAULT_SLICE_MS;
  const moments = (badShare: MomentShare): SloIndicator => ({ kind: "moments", badShare, everyMs });
  if (thresholdMetric) {
    const badOp = BAD_OPERATORS[objective.op ?? ""];
    if (badOp === undefined || objective.value === undefined) {
      throw new InvalidInputError("a thresholdMetric needs op (lt, lte, gt, gte) and value");
    }
    return moments({ of: "threshold", query: queryOf(thresholdMetric), badOp, value: objective.value });
  }
  if (!ratioMetric) throw new InvalidInputError("the indicator needs a ratioMetric or a thresholdMetric");
  const { good, bad, total, raw, rawType, counter } = ratioMetric;
  if (raw) {
    if (!rawType) throw new InvalidInputError("ratioMetric.rawType must be success or failure");
    return moments({ of: "ratio", query: queryOf(raw), isGood: rawType === "success" });
  }
  const part = good ?? bad;
  if (!part || !total || (good && bad)) {
    throw new InvalidInputError("ratioMetric needs total, and either good or bad");
  }
  const [partQuery, totalQuery] = [queryOf(part), queryOf(total)];
  if (partQuery.language !== totalQuery.language) throw new InvalidInputError("ratioMetric needs one type of source");
  const events = {
    kind: "events",
    part: partQuery,
    partIs: good ? "good" : "bad",
    total: totalQuery,
    isCounter: counter,
  } as const;
  if (method === "Occurrences") return events;
  if (method === "RatioTimeslices") return moments({ of: "slice", events });
  const { timeSliceTarget } = objective;
  if (timeSliceTarget === undefined)
    throw new InvalidInputError("needs a timeSliceTarget, as budgetingMethod is Timeslices");
  return moments({ of: "slice", events, target: timeSliceTarget });
}

function queryOf({ metricSource: { type = "Prometheus", spec } }: Metric): RuleExpression {
  const language = LANGUAGES.get(type.toLowerCase());
  if (!language) throw new InvalidInputError(`metricSource.type ${type}: there are Prometheus and Loki`);
  return { text: spec.query.trim(), language };
}

const LANGUAGES: ReadonlyMap<string, RuleLanguage> = new Map([
  ["prometheus", "promql"],
  ["loki", "logql"],
]);
