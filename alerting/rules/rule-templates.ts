import { setImmediate as nextTurn } from "node:timers/promises";
import { GoMap, GoStruct, type GoValue } from "@sightline/model/go-template/go-value.ts";
import { TemplateSyntaxError } from "@sightline/model/go-template/parse-template.ts";
import type { ParsedTemplate } from "@sightline/model/go-template/template-ast.ts";
import { TemplateExecutionError } from "@sightline/model/go-template/template-budget.ts";
import { TemplateSet } from "@sightline/model/go-template/template-set.ts";
import type { Labels } from "@sightline/model/labels.ts";
import type { RuleSample } from "@sightline/model/rules.ts";
import type { LabelMap } from "../alert.ts";
import { sampleValue } from "./sample-value.ts";
import { QueryNeeded, type QueryOutcome, RULE_FUNCTIONS, type RuleTemplateContext } from "./template-functions.ts";

/** Makes of hostile templates something bounded: an annotation is a sentence, perhaps with a table. */
const LIMITS = { maxOutputCharacters: 1_000_000, maxSteps: 1_000_000, maxCpuMs: 50, setting: "" };
const MAX_EVALUATION_CPU_MS = 2_000;
/** Others have their turn between two texts then. */
const MAX_TURN_MS = 5;
/** Different queries of one template. */
const MAX_QUERIES = 50;
const SET = new TemplateSet<RuleTemplateContext>(RULE_FUNCTIONS, LIMITS);
/** The variables that every template of a rule has. */
const DEFINITIONS =
  "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}";
const DATA = {
  name: "struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }",
};

/** What templates of all rules are told. */
export type TemplateSurroundings = {
  readonly externalLabels: LabelMap;
  readonly externalUrl: string;
  readonly evaluate: (text: string, timeMs: number) => Promise<readonly RuleSample[]>;
};

const NO_TEXTS = { labels: {}, annotations: {} };

type Budget = { cpuMs: number; readonly maxCpuMs: number };
type Source = { readonly labels: LabelMap; readonly annotations: LabelMap };

/** Labels and annotations of an alerting rule. */
export class RuleTemplates {
  readonly #name: string;
  readonly #labels: readonly Part[];
  readonly #annotations: readonly Part[];
  readonly #maxCpuMs: number;
  /** Of the evaluation that texts are made for. */
  #budget: Budget & { readonly timeMs: number } = { timeMs: Number.NaN, cpuMs: 0, maxCpuMs: 0 };

  /** `maxCpuMs`: for all texts of all alerts at one time. */
  constructor(ruleName: string, { labels, annotations }: Source, maxCpuMs = MAX_EVALUATION_CPU_MS) {
    this.#name = `__alert_${ruleName}`;
    this.#labels = Object.entries(labels).map((entry) => this.#part(entry));
    this.#annotations = Object.entries(annotations).map((entry) => this.#part(entry));
    this.#maxCpuMs = maxCpuMs;
  }

  /** What fails is in its text. Rejects only when a query is cancelled. */
  async expand(sample: RuleSample, timeMs: number, around: TemplateSurroundings): Promise<Source> {
    if (this.#labels.length + this.#annotations.length === 0) return NO_TEXTS;
    if (this.#budget.timeMs !== timeMs) this.#budget = { timeMs, cpuMs: 0, maxCpuMs: this.#maxCpuMs };
    const run = new Expansion(this.#name, sample, timeMs, around, this.#budget);
    return { labels: await run.all(this.#labels), annotations: await run.all(this.#annotations) };
  }

  #part([name, text]: [string, string]): Part {
    if (!text.includes("{{")) return { name, text, parsed: undefined };
    return { name, text, parsed: parse(this.#name, text) };
  }
}

/** `label "x": template: __alert_y:1: …` for each that can't be read. */
export function templateProblems(ruleName: string, { labels, annotations }: Source): string[] {
  const problems: string[] = [];
  for (const [kind, texts] of [
    ["label", labels],
    ["annotation", annotations],
  ] as const) {
    for (const [name, text] of Object.entries(texts)) {
      const parsed = text.includes("{{") ? parse(`__alert_${ruleName}`, text) : undefined;
      if (parsed instanceof TemplateSyntaxError) problems.push(`${kind} ${JSON.stringify(name)}: ${parsed.message}`);
    }
  }
  return problems;
}

/** `parsed` is absent for a text without actions. */
type Part = {
  readonly name: string;
  readonly text: string;
  readonly parsed: ParsedTemplate | TemplateSyntaxError | undefined;
};

function parse(name: string, text: string): ParsedTemplate | TemplateSyntaxError {
  try {
    return SET.parse({ name, text: DEFINITIONS + text });
  } catch (error) {
    if (error instanceof TemplateSyntaxError) return error;
    throw error;
  }
}

/** Of the texts of one alert: what they ask for is asked once. */
class Expansion {
  readonly #name: string;
  readonly #data: GoValue;
  readonly #context: RuleTemplateContext & { readonly outcomes: Map<string, QueryOutcome> };
  readonly #evaluate: (text: string) => Promise<readonly RuleSample[]>;
  readonly #budget: Budget;

  constructor(name: string, sample: RuleSample, timeMs: number, around: TemplateSurroundings, budget: Budget) {
    this.#name = name;
    this.#budget = budget;
    this.#data = dataOf(sample, around);
    this.#context = { timeMs, externalUrl: around.externalUrl, outcomes: new Map() };
    this.#evaluate = (text) => around.evaluate(text, timeMs);
  }

  async all(parts: readonly Part[]): Promise<LabelMap> {
    const texts: Record<string, string> = {};
    for (const part of parts) {
      try {
        texts[part.name] = part.parsed === undefined ? part.text : await this.#one(part.parsed);
      } catch (error) {
        if (!(error instanceof TemplateSyntaxError) && !(error instanceof TemplateExecutionError)) throw error;
        const doing = error instanceof TemplateSyntaxError ? "parsing" : "executing";
        texts[part.name] = `<error expanding template: error ${doing} template ${this.#name}: ${error.message}>`;
      }
    }
    return texts;
  }

  /** Templates can't wait: where one asks for what is not there yet, it is fetched, and the template run again. */
  async #one(parsed: ParsedTemplate | TemplateSyntaxError): Promise<string> {
    if (parsed instanceof TemplateSyntaxError) throw parsed;
    for (;;) {
      const { cpuMs, maxCpuMs } = this.#budget;
      if (cpuMs > maxCpuMs) {
        throw new TemplateExecutionError(
          `the templates of the rule take more than ${maxCpuMs} ms of CPU time an evaluation`,
        );
      }
      const began = process.threadCpuUsage();
      try {
        return SET.execute(parsed, { data: this.#data, context: this.#context });
      } catch (error) {
        if (!(error instanceof QueryNeeded)) throw error;
        await this.#fetch(error.query);
      } finally {
        await this.#spent(began);
      }
    }
  }

  async #spent(began: NodeJS.CpuUsage): Promise<void> {
    const { user, system } = process.threadCpuUsage(began);
    const ms = (user + system) / 1_000;
    this.#budget.cpuMs += ms;
    if (ms > MAX_TURN_MS) await nextTurn();
  }

  async #fetch(query: string): Promise<void> {
    const { outcomes } = this.#context;
    if (outcomes.size >= MAX_QUERIES) {
      throw new TemplateExecutionError(`the templates of an alert ask for more than ${MAX_QUERIES} queries`);
    }
    outcomes.set(query, await this.#outcome(query));
  }

  async #outcome(query: string): Promise<QueryOutcome> {
    try {
      return { samples: await this.#evaluate(query) };
    } catch (error) {
      return { error: (error as Error).message };
    }
  }
}

function dataOf(sample: RuleSample, { externalLabels, externalUrl }: TemplateSurroundings): GoValue {
  return new GoStruct(
    DATA,
    new Map<string, GoValue>([
      ["Labels", mapOf(sample.labels)],
      ["ExternalLabels", mapOf(Object.entries(externalLabels))],
      ["ExternalURL", externalUrl],
      ["Value", sampleValue(sample)],
    ]),
  );
}

function mapOf(labels: Labels): GoMap {
  return new GoMap(new Map(labels), false);
}
