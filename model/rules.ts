import type { NativeHistogram } from "./histogram.ts";
import type { Labels } from "./labels.ts";
import type { LabelRequest } from "./metric-store.ts";
import type { TenantId } from "./tenant.ts";

export type RuleLanguage = "promql" | "logql";
/** One element of what a rule's expression gives; `histogram` in place of `value` where it is one. */
export type RuleSample = {
  readonly labels: Labels;
  readonly value: number;
  readonly histogram?: NativeHistogram;
  /** The histogram as the language prints it. */
  readonly histogramText?: string;
};
export type RuleExpression = { readonly text: string; readonly language: RuleLanguage };
/** An expression that can be evaluated; `text` is as the language prints it. */
export type CheckedExpression = RuleExpression & {
  /** Each of its selectors names its metric, which those of no other language do. */
  readonly namesMetrics: boolean;
  /** All metrics that it can read, by the names that it gives them; absent: any. */
  readonly reads?: ReadonlySet<string> | undefined;
};
/** The newest sample of a series, staleness markers included. */
export type LastSample = {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
  readonly isStale: boolean;
};

/** All that rules know of queries. */
export interface RuleEvaluator {
  /** Throws `ParseError` or `InvalidInputError` in the words of the language. */
  check(expression: RuleExpression): CheckedExpression;
  /**
   * The instant vector at a time; a scalar is one sample without labels. Throws what the engines throw, and
   * `InvalidInputError` for what is neither.
   */
  evaluate(
    query: RuleExpression & { readonly tenant: TenantId; readonly timeMs: number },
    signal: AbortSignal,
  ): Promise<readonly RuleSample[]>;
  /** Of each series of metrics that has a sample in the range, in no order. */
  lastSamples(request: LabelRequest, signal: AbortSignal): Promise<readonly LastSample[]>;
}

/** A group of rules that somebody put there, as it was written down. Versions ascend from 1. */
export type StoredRuleGroup = {
  readonly tenant: TenantId;
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
  /** YAML; "": it was removed. */
  readonly text: string;
  /** Of expressions; "": found by itself. */
  readonly language: RuleLanguage | "";
  readonly changedAtMs: number;
  /** The API key and the address. */
  readonly changedBy: string;
};
/** Where such groups are kept, with what they were before. Several processes may use it at once. */
export interface RuleCatalog {
  /** Those that are there, of all tenants; by tenant, namespace and name. */
  ruleGroups(): Promise<readonly StoredRuleGroup[]>;
  /** Differs from what it was when any process has changed one. Cheap. */
  ruleRevision(): Promise<number>;
  /** One version more. An empty text removes the group. Durable once it settles; gives the version. */
  changeRuleGroup(group: Omit<StoredRuleGroup, "version">): Promise<number>;
  /** Newest first. */
  ruleGroupVersions(tenant: TenantId, namespace: string, name: string): Promise<readonly StoredRuleGroup[]>;
}

/** What became of rules, for those who ask. Times in milliseconds, 0: never. */
export interface RuleStates {
  /** Of a tenant, by file and name; with several processes those that others evaluate, too. */
  groups(tenant: TenantId): readonly RuleGroupState[] | Promise<readonly RuleGroupState[]>;
  /** Addresses of other Alertmanagers that are told of alerts. */
  readonly alertmanagers: readonly string[];
}
export type RuleGroupState = {
  readonly name: string;
  readonly file: string;
  readonly intervalMs: number;
  readonly limit: number;
  readonly evaluationMs: number;
  readonly lastEvaluationMs: number;
  readonly rules: readonly RuleState[];
};
type CommonRuleState = RuleExpressionOf & {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly health: "unknown" | "ok" | "err";
  /** "": none. */
  readonly lastError: string;
  readonly evaluationMs: number;
  readonly lastEvaluationMs: number;
};
type RuleExpressionOf = { readonly query: string; readonly language: RuleLanguage };
export type RuleState =
  | (CommonRuleState & { readonly type: "recording" })
  | (CommonRuleState & {
      readonly type: "alerting";
      readonly annotations: Readonly<Record<string, string>>;
      readonly forMs: number;
      readonly keepFiringForMs: number;
      readonly state: "unknown" | "inactive" | "pending" | "firing";
      readonly alerts: readonly AlertStateInfo[];
    });
export type AlertStateInfo = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: "inactive" | "pending" | "firing";
  readonly activeAtMs: number;
  readonly keepFiringSinceMs: number;
  readonly value: number;
};
