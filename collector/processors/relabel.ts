import { createHash } from "node:crypto";
import { type Label, type Labels, labelsFrom, METRIC_NAME } from "@sightline/model/labels.ts";
import { compileRegex, type Regex } from "@sightline/model/regex.ts";
import { z } from "zod";
import { regexText } from "./regex-text.ts";
import { DROP_SERIES, type SeriesFunction, type SeriesRefusal } from "./series-mapper.ts";

const ACTIONS = [
  "replace",
  "keep",
  "drop",
  "keepequal",
  "dropequal",
  "hashmod",
  "labelmap",
  "labeldrop",
  "labelkeep",
  "lowercase",
  "uppercase",
] as const;
const NEEDS_TARGET = new Set<string>(["replace", "keepequal", "dropequal", "hashmod", "lowercase", "uppercase"]);
const DEFAULT_REGEX = "(.*)";

const relabelRule = z
  .strictObject({
    source_labels: z.array(z.string()).default([]).describe("Labels whose values are joined and matched"),
    separator: z.string().default(";"),
    regex: regexText.default(DEFAULT_REGEX).describe("RE2, matches the whole"),
    modulus: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
    target_label: z.string().default(""),
    replacement: z.string().default("$1"),
    action: z
      .preprocess((value) => (typeof value === "string" ? value.toLowerCase() : value), z.enum(ACTIONS))
      .default("replace"),
  })
  .superRefine((rule, context) => {
    const refuse = (key: keyof typeof rule, message: string) =>
      context.addIssue({ code: "custom", message, path: [key] });
    if (NEEDS_TARGET.has(rule.action) && rule.target_label === "") {
      refuse("target_label", `action ${rule.action} needs a target_label`);
    }
    if (rule.action === "hashmod" && rule.modulus === 0) refuse("modulus", "action hashmod needs a modulus above 0");
    if (rule.action === "labelmap" && rule.replacement === "")
      refuse("replacement", "action labelmap needs a replacement");
    const onlyRegex = rule.action === "labeldrop" || rule.action === "labelkeep";
    if (onlyRegex && (rule.source_labels.length > 0 || rule.target_label !== "")) {
      refuse("action", `action ${rule.action} takes a regex and nothing else`);
    }
    if (rule.action.endsWith("equal") && rule.regex !== DEFAULT_REGEX) {
      refuse("regex", `action ${rule.action} takes source_labels and target_label and nothing else`);
    }
  });
export type RelabelRule = z.output<typeof relabelRule>;

/** Prometheus' relabel_configs (documentation: configuration, relabel_config). */
export const relabelConfig = z.strictObject({
  kind: z.literal("relabel"),
  rules: z.array(relabelRule).min(1).max(500),
});

const NO_NAME: SeriesRefusal = {
  kind: "reject",
  reason: "invalid",
  message: () => "relabelling left a series without a metric name: mend the rules of processors.metrics",
};

export function relabelProcessor(config: z.output<typeof relabelConfig>): SeriesFunction {
  const steps = config.rules.map(compileRule);
  return {
    name: "relabel",
    map(labels) {
      const builder = new Builder(labels as readonly Label[]);
      for (const step of steps) if (!step(builder)) return DROP_SERIES;
      if (builder.size === 0) return DROP_SERIES;
      if (!builder.has(METRIC_NAME)) return NO_NAME;
      const relabelled = labelsFrom(builder);
      return isEqual(relabelled, labels) ? labels : relabelled;
    },
  };
}

/** Labels in the order in which Prometheus' labels.Builder gives them: those that were set come after the others. */
class Builder extends Map<string, string> {
  readonly #set = new Set<string>();

  override set(name: string, value: string): this {
    // The constructor of Map calls this before the field is there.
    if (!(#set in this)) return super.set(name, value);
    if (!this.#set.has(name)) super.delete(name);
    this.#set.add(name);
    return super.set(name, value);
  }

  override delete(name: string): boolean {
    this.#set.delete(name);
    return super.delete(name);
  }
}

/** False: the series is dropped. */
type Step = (labels: Builder) => boolean;
type Compiled = { readonly rule: RelabelRule; readonly regex: Regex; readonly source: (labels: Builder) => string };

/** As Prometheus' model/relabel/relabel.go has it. */
function compileRule(rule: RelabelRule): Step {
  const names = rule.source_labels;
  const source = (labels: Builder) => names.map((name) => labels.get(name) ?? "").join(rule.separator);
  return STEPS[rule.action]({ rule, regex: compileRegex(rule.regex), source });
}

const STEPS: Readonly<Record<RelabelRule["action"], (compiled: Compiled) => Step>> = {
  keep:
    ({ regex, source }) =>
    (labels) =>
      regex.matchesWhole(source(labels)),
  drop:
    ({ regex, source }) =>
    (labels) =>
      !regex.matchesWhole(source(labels)),
  keepequal:
    ({ rule, source }) =>
    (labels) =>
      (labels.get(rule.target_label) ?? "") === source(labels),
  dropequal:
    ({ rule, source }) =>
    (labels) =>
      (labels.get(rule.target_label) ?? "") !== source(labels),
  replace:
    ({ rule, regex, source }) =>
    (labels) => {
      const value = source(labels);
      const target = regex.replaceWhole(value, rule.target_label);
      if (target !== undefined && target !== "") set(labels, target, regex.replaceWhole(value, rule.replacement) ?? "");
      return true;
    },
  hashmod:
    ({ rule, source }) =>
    (labels) => {
      const digest = createHash("md5").update(source(labels)).digest();
      return set(labels, rule.target_label, String(digest.readBigUInt64BE(8) % BigInt(rule.modulus)));
    },
  lowercase:
    ({ rule, source }) =>
    (labels) =>
      set(labels, rule.target_label, source(labels).toLowerCase()),
  uppercase:
    ({ rule, source }) =>
    (labels) =>
      set(labels, rule.target_label, source(labels).toUpperCase()),
  labelmap:
    ({ rule, regex }) =>
    (labels) => {
      for (const [name, value] of [...labels]) {
        const mapped = regex.replaceWhole(name, rule.replacement);
        if (mapped !== undefined && mapped !== "") set(labels, mapped, value);
      }
      return true;
    },
  labeldrop:
    ({ regex }) =>
    (labels) =>
      deleteNames(labels, (name) => regex.matchesWhole(name)),
  labelkeep:
    ({ regex }) =>
    (labels) =>
      deleteNames(labels, (name) => !regex.matchesWhole(name)),
};

function set(labels: Builder, name: string, value: string): true {
  if (value === "") labels.delete(name);
  else labels.set(name, value);
  return true;
}

function deleteNames(labels: Builder, test: (name: string) => boolean): true {
  for (const name of [...labels.keys()]) if (test(name)) labels.delete(name);
  return true;
}

function isEqual(a: Labels, b: Labels): boolean {
  return a.length === b.length && a.every(([name, value], i) => name === b[i]?.[0] && value === b[i]?.[1]);
}
