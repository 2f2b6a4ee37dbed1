import type { RuleExpression } from "@sightline/model/rules.ts";

/**
 * How much of what happens is bad. `events`: two counts, the bad ones (or the good ones) and all. `moments`: a query whose
 * value at each moment is the share of what is bad then, 0 to 1; `everyMs` says how often that is looked at.
 */
export type SloIndicator =
  | {
      readonly kind: "events";
      readonly part: RuleExpression;
      readonly partIs: "good" | "bad";
      readonly total: RuleExpression;
      /** The counts only grow, as Prometheus' counters; otherwise each sample is a count of its own. */
      readonly isCounter: boolean;
    }
  | { readonly kind: "moments"; readonly badShare: MomentShare; readonly everyMs: number };

/** The share of what is bad at a moment, made of a query. */
export type MomentShare =
  /** The query gives it, or the share of what is good. */
  | { readonly of: "ratio"; readonly query: RuleExpression; readonly isGood: boolean }
  /** 1 where the value compares as it should not, else 0. */
  | { readonly of: "threshold"; readonly query: RuleExpression; readonly badOp: string; readonly value: number }
  /** Of the events of the last `everyMs`; with `target` 1 where fewer than that are good, else 0. */
  | { readonly of: "slice"; readonly events: Extract<SloIndicator, { kind: "events" }>; readonly target?: number };

/** One promise: in any `windowMs` at least the share `target` of what happens is good. */
export type Slo = {
  readonly name: string;
  readonly service: string;
  /** Set when the definition has several objectives. */
  readonly objective: string | undefined;
  readonly indicator: SloIndicator;
  readonly target: number;
  readonly windowMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};
