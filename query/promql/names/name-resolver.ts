import { METRIC_NAME } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { MetricMetadata } from "@sightline/model/metric-batch.ts";
import type { Queryable } from "@sightline/model/metric-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { Annotations } from "../annotations.ts";
import type { Expr, VectorSelector } from "../ast.ts";
import { visitExpr } from "../prepare/map-expr.ts";
import { LabelSpellings } from "./label-spellings.ts";
import { MetricSpellings, type Spelled } from "./metric-spellings.ts";
import { type NameFacts, renameExpr } from "./rename-expr.ts";
import { isResourceLabel, resolveResourceAttributes } from "./resource-attributes.ts";
import { sourceLabels } from "./source-labels.ts";

const DAY_MS = 86_400_000;
/** How long it may take until a label or metric that was just written for the first time is found by its other spellings. */
const FACT_AGE_MS = 10_000;
const MAX_FACTS = 1_000;

export type NameQuestion = {
  readonly tenant: TenantId;
  readonly range: TimeRange;
  readonly signal: AbortSignal;
  readonly annotations: Annotations;
};

/**
 * Makes queries find metrics and labels by any of their spellings, and resource attributes without a join. A name that is stored
 * as it is written always means just that; storage is asked only where another name could be meant.
 */
export class NameResolver {
  readonly #queryable: Queryable;
  /** A text that is asked again is the same expression. */
  readonly #written = new WeakMap<Expr, Written>();
  readonly #spellings = new WeakMap<readonly MetricMetadata[], MetricSpellings>();
  readonly #facts = new Map<string, { readonly until: number; readonly fact: Promise<unknown> }>();

  constructor(queryable: Queryable) {
    this.#queryable = queryable;
  }

  resolve(expr: Expr, question: NameQuestion): Promise<Expr> {
    let written = this.#written.get(expr);
    if (!written) {
      written = namesIn(expr);
      this.#written.set(expr, written);
    }
    return this.#withStored(expr, written, question);
  }

  async #withStored(expr: Expr, { names, labels, mayDiffer }: Written, question: NameQuestion): Promise<Expr> {
    const translated = (await this.#queryable.translatedMetrics?.(question.tenant)) ?? [];
    const metrics = this.#metricSpellings(translated);
    const ambiguous = new Map<string, readonly Spelled[]>();
    for (const name of names) {
      const found = metrics?.find(name) ?? [];
      if (found.length > 0) ambiguous.set(name, found);
    }
    if (ambiguous.size === 0 && !mayDiffer) return expr;
    const stored = new Set<string>();
    for (const [name, spelled] of ambiguous) {
      for (const candidate of candidates(name, spelled))
        if (await this.#isStored(candidate, question)) stored.add(candidate);
    }
    const spellings = mayDiffer ? await this.#labelSpellings(question) : new LabelSpellings([]);
    const withoutResources = labels.some(isResourceLabel)
      ? resolveResourceAttributes(expr, (label) => spellings.has(label))
      : expr;
    const facts: NameFacts = { metrics: ambiguous, stored, labels: spellings, annotations: question.annotations };
    return renameExpr(withoutResources, facts);
  }

  /** The matchers of a series selector (`match[]`) with stored names. Resource attributes are no labels of series: they stay. */
  async resolveMatchers(
    matchers: readonly Matcher[],
    question: Omit<NameQuestion, "annotations">,
  ): Promise<readonly Matcher[]> {
    const range = { start: 0, end: 0 };
    const selector: VectorSelector = { kind: "vector", name: "", matchers, offset: 0, range };
    const noted = { ...question, annotations: new Annotations() };
    const resolved = await this.#withStored(selector, namesIn(selector), noted);
    return resolved.kind === "vector" ? resolved.matchers : matchers;
  }

  #metricSpellings(translated: readonly MetricMetadata[]): MetricSpellings | undefined {
    if (translated.length === 0) return undefined;
    let spellings = this.#spellings.get(translated);
    if (!spellings) {
      spellings = new MetricSpellings(translated);
      this.#spellings.set(translated, spellings);
    }
    return spellings;
  }

  #isStored(name: string, question: NameQuestion): Promise<boolean> {
    const matchers: Matcher[] = [{ name: METRIC_NAME, op: "=", value: name }];
    return this.#fact(`metric ${name}`, question, async (range) => {
      const { tenant, signal } = question;
      return (await this.#queryable.series({ tenant, range, matchers, limit: 1 }, signal)).length > 0;
    });
  }

  #labelSpellings(question: NameQuestion): Promise<LabelSpellings> {
    return this.#fact("labels", question, async (range) => {
      const { tenant, signal } = question;
      return new LabelSpellings(await this.#queryable.labelNames({ tenant, range, matchers: [] }, signal));
    });
  }

  /** Asks for whole days, so that queries one after the other ask the same. */
  #fact<T>(what: string, { tenant, range }: NameQuestion, ask: (range: TimeRange) => Promise<T>): Promise<T> {
    const startMs = (Math.floor(range.startMs / DAY_MS) - 1) * DAY_MS;
    const endMs = (Math.floor(range.endMs / DAY_MS) + 1) * DAY_MS;
    const key = JSON.stringify([tenant, startMs, endMs, what]);
    const known = this.#facts.get(key);
    if (known && performance.now() < known.until) return known.fact as Promise<T>;
    const fact = ask({ startMs, endMs });
    this.#facts.delete(key);
    if (this.#facts.size >= MAX_FACTS) this.#facts.delete(this.#facts.keys().next().value as string);
    this.#facts.set(key, { until: performance.now() + FACT_AGE_MS, fact });
    fact.catch(() => this.#facts.delete(key));
    return fact;
  }
}

/** Metrics that selectors name, and every label that the query reads. */
type Written = {
  readonly names: readonly string[];
  readonly labels: readonly string[];
  /** One of the labels may be stored under another name. */
  readonly mayDiffer: boolean;
};

function namesIn(expr: Expr): Written {
  const names = new Set<string>();
  const labels = new Set<string>();
  visitExpr(expr, (part) => {
    for (const label of labelsReadBy(part)) labels.add(label);
    if (part.kind !== "vector") return;
    for (const { name, op, value } of part.matchers) if (name === METRIC_NAME && op === "=") names.add(value);
  });
  return { names: [...names], labels: [...labels], mayDiffer: [...labels].some(LabelSpellings.mayDiffer) };
}

function labelsReadBy(expr: Expr): readonly string[] {
  switch (expr.kind) {
    case "vector":
      return expr.matchers.map(({ name }) => name);
    case "aggregate":
      return expr.grouping;
    case "binary":
      return [...(expr.matching?.labels ?? []), ...(expr.matching?.include ?? [])];
    case "call":
      return sourceLabels(expr).map(({ value }) => value);
    default:
      return [];
  }
}

/** Every name that a spelling may turn out to be; a histogram in buckets has no series of its own name. */
function candidates(written: string, spelled: readonly Spelled[]): Set<string> {
  const names = new Set([written]);
  for (const { family, suffix } of spelled) {
    names.add(family.metric + suffix);
    if (suffix === "" && family.type === "histogram") names.add(`${family.metric}_bucket`);
  }
  return names;
}
