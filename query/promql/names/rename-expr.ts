import { quote } from "@sightline/model/go-quote.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { quoteRegex } from "@sightline/model/regex.ts";
import type { Annotations } from "../annotations.ts";
import type { AggregateExpr, BinaryExpr, CallExpr, Expr, Range, VectorSelector } from "../ast.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { mapChildren, visitExpr } from "../prepare/map-expr.ts";
import { isLegacyMetric } from "./escape-name.ts";
import type { LabelSpellings } from "./label-spellings.ts";
import type { PartSuffix, Spelled } from "./metric-spellings.ts";
import { isSourceLabel, madeLabel } from "./source-labels.ts";

/** What was found out about the names in a query before it is rewritten. */
export type NameFacts = {
  /** What each name that is a spelling of something may mean. */
  readonly metrics: ReadonlyMap<string, readonly Spelled[]>;
  /** Which of these names, and of the metrics meant, have series. */
  readonly stored: ReadonlySet<string>;
  readonly labels: LabelSpellings;
  readonly annotations: Annotations;
};

/** Puts stored names in place of their spellings, and says where there was a choice. Throws `EvaluationError`. */
export function renameExpr(expr: Expr, facts: NameFacts): Expr {
  const made = new Set<string>();
  visitExpr(expr, (part) => {
    const label = madeLabel(part);
    if (label !== undefined) made.add(label);
  });
  return new Renaming(facts, made).rename(expr, undefined);
}

/** Which series of a classic histogram an expression around a selector works on. */
const PART_OF_FUNCTION: ReadonlyMap<string, PartSuffix> = new Map([
  ["histogram_quantile", "_bucket"],
  ["histogram_quantiles", "_bucket"],
  ["histogram_fraction", "_bucket"],
  ["histogram_count", "_count"],
  ["histogram_sum", "_sum"],
]);

class Renaming {
  readonly #facts: NameFacts;
  readonly #made: ReadonlySet<string>;
  /** Selectors of whole histograms that became selectors of their parts so far. */
  #partsTaken = 0;

  constructor(facts: NameFacts, made: ReadonlySet<string>) {
    this.#facts = facts;
    this.#made = made;
  }

  rename(expr: Expr, part: PartSuffix | undefined): Expr {
    switch (expr.kind) {
      case "vector":
        return this.#selector(expr, part);
      case "aggregate":
        return this.#aggregate(expr, part);
      case "binary":
        return this.#binary(expr, part);
      case "call":
        return this.#call(expr, part);
      default:
        return mapChildren(expr, (child) => this.rename(child, part));
    }
  }

  /** A function of native histograms is not needed on the part of a classic one that it would give. */
  #call(expr: CallExpr, part: PartSuffix | undefined): Expr {
    const ofFunction = PART_OF_FUNCTION.get(expr.func);
    const before = this.#partsTaken;
    const call = mapChildren(expr, (child) => this.rename(child, ofFunction ?? part)) as CallExpr;
    if (this.#partsTaken > before && (ofFunction === "_count" || ofFunction === "_sum")) return call.args[0] as Expr;
    const args = call.args.map((arg, index) =>
      isSourceLabel(call.func, arg, index) ? { ...arg, value: this.#label(arg.value, arg.range) } : arg,
    );
    return { ...call, args };
  }

  /** Buckets must keep their bound through an aggregation, although a histogram as a whole needs no such label. */
  #aggregate(expr: AggregateExpr, part: PartSuffix | undefined): Expr {
    const before = this.#partsTaken;
    const renamed = mapChildren(expr, (child) => this.rename(child, part)) as AggregateExpr;
    const grouping = renamed.grouping.map((label) => this.#label(label, expr.range));
    const isOfBuckets = part === "_bucket" && this.#partsTaken > before;
    if (isOfBuckets && !expr.without && !grouping.includes("le")) grouping.push("le");
    return { ...renamed, grouping };
  }

  #binary(expr: BinaryExpr, part: PartSuffix | undefined): Expr {
    const renamed = mapChildren(expr, (child) => this.rename(child, part)) as BinaryExpr;
    const { matching, range } = renamed;
    if (!matching) return renamed;
    const labels = matching.labels.map((label) => this.#label(label, range));
    const include = matching.include.map((label) => this.#label(label, range));
    return { ...renamed, matching: { ...matching, labels, include } };
  }

  #selector(selector: VectorSelector, part: PartSuffix | undefined): VectorSelector {
    const matchers = selector.matchers.map((matcher) => {
      if (matcher.name !== "__name__") return { ...matcher, name: this.#label(matcher.name, selector.range) };
      return matcher.op === "=" ? this.#metric(matcher, selector.range, part) : matcher;
    });
    return { ...selector, matchers };
  }

  #label(name: string, range: Range): string {
    if (name === "__name__" || this.#made.has(name)) return name;
    const [first = name, ...others] = this.#facts.labels.find(name);
    if (others.length > 0) {
      const message = `label ${quote(name)} may be any of ${list([first, ...others])}; taken as ${quote(first)}: write the one that is meant`;
      this.#facts.annotations.warn(range, message);
    }
    return first;
  }

  #metric(matcher: Matcher, range: Range, part: PartSuffix | undefined): Matcher {
    const spelled = this.#facts.metrics.get(matcher.value);
    if (!spelled) return matcher;
    const { stored, annotations } = this.#facts;
    const written = matcher.value;
    const found = [...new Set(spelled.flatMap((one) => this.#storedName(one, written, part) ?? []))];
    if (stored.has(written)) {
      const others = found.filter((name) => name !== written);
      if (others.length > 0) {
        const message = `${quote(written)} is the name of a metric and also stands for ${list(others)}, not selected: write ${others.map(selectorOf).join(" or ")} for that`;
        annotations.warn(range, message);
      }
      return matcher;
    }
    const [first, ...others] = found;
    if (first === undefined) return matcher;
    if (others.length === 0) return { ...matcher, value: first };
    const message = `${quote(written)} stands for ${list(found)}, all of which were selected: write ${found.map(selectorOf).join(" or ")} to select one`;
    annotations.warn(range, message);
    return { name: "__name__", op: "=~", value: found.map(quoteRegex).join("|") };
  }

  /** The name that has series: that of the metric, or of a part of it. Undefined when none has. */
  #storedName({ family, suffix }: Spelled, written: string, part: PartSuffix | undefined): string | undefined {
    const { stored } = this.#facts;
    const name = family.metric + suffix;
    if (suffix !== "" || family.type !== "histogram" || stored.has(name)) return stored.has(name) ? name : undefined;
    if (stored.has(written) || !stored.has(`${name}_bucket`)) return undefined;
    if (part) {
      this.#partsTaken++;
      return name + part;
    }
    const parts = ["_bucket", "_count", "_sum"].map((end) => selectorOf(name + end));
    throw new EvaluationError(
      `${quote(written)} is a histogram that is kept as buckets, count and sum: write ${parts.join(", ")}, or put it into histogram_quantile, histogram_fraction, histogram_count or histogram_sum`,
    );
  }
}

function list(names: readonly string[]): string {
  return names.map((name) => quote(name)).join(", ");
}

function selectorOf(name: string): string {
  return isLegacyMetric(name) ? name : `{${quote(name)}}`;
}
