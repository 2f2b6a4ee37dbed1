import { formatPrometheusDuration } from "@sightline/model/go-duration.ts";
import type { RuleExpression, RuleLanguage } from "@sightline/model/rules.ts";
import type { MomentShare, Slo, SloIndicator } from "./slo.ts";

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000];
const MS_IN_NS = 1e6;

/**
 * Conditions under which budget burns too fast, as in chapter 5 of the SRE Workbook: so much of it within the long window,
 * and still so in the short one, which ends the alert soon after the trouble.
 */
const CONDITIONS = [
  { severity: "page", share: 0.02, longMs: HOUR_MS, shortMs: 5 * MINUTE_MS },
  { severity: "page", share: 0.05, longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS },
  { severity: "ticket", share: 0.1, longMs: DAY_MS, shortMs: 2 * HOUR_MS },
  { severity: "ticket", share: 0.1, longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS },
] as const;
const WINDOWS_MS = [...new Set(CONDITIONS.flatMap(({ shortMs, longMs }) => [shortMs, longMs]))].sort((a, b) => a - b);
const SHORTEST_MS = 5 * MINUTE_MS;

/** As in a rule file. */
export type SloRuleGroup = {
  readonly name: string;
  readonly interval?: string;
  readonly language?: RuleLanguage;
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly SloRule[];
};
type SloRule =
  | { readonly record: string; readonly expr: string }
  | {
      readonly alert: string;
      readonly expr: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations: Readonly<Record<string, string>>;
    };

export type SloRulesOptions = {
  /** The query over the last `window` (`5m`): a rate of counters, otherwise a sum. Throws `InvalidInputError`. */
  readonly overWindow: (query: RuleExpression, window: string, isCounter: boolean) => string;
  /** Is told of what can't be watched. */
  readonly warn: (problem: string) => void;
};

/**
 * The rules that watch an objective: the share of what is bad over each window (`slo:errors:ratio_rate5m` and so on), what
 * is left of the error budget, and two alerts, one that pages and one that can wait, by multi-window burn rates.
 */
export function sloRules(slo: Slo, options: SloRulesOptions): readonly SloRuleGroup[] {
  const name = [slo.service, slo.name, slo.objective].filter((part) => part !== undefined).join("/");
  const labels = { ...slo.labels, ...identityOf(slo) };
  return [
    ...errorGroups(`slo/${name}`, slo, labels, options),
    { name: `slo/${name}/budget`, labels, rules: budgetRules(slo) },
    { name: `slo/${name}/alerts`, labels, rules: alertRules(slo, name, options.warn) },
  ];
}

function identityOf({ name, service, objective }: Slo): Record<string, string> {
  return { slo: name, service, ...(objective === undefined ? {} : { objective }) };
}

/** Those that record the share of what is bad over each window. */
function errorGroups(
  name: string,
  slo: Slo,
  labels: Record<string, string>,
  { overWindow }: SloRulesOptions,
): readonly SloRuleGroup[] {
  const { indicator } = slo;
  if (indicator.kind === "events") {
    const rules = WINDOWS_MS.map((windowMs) => ({
      record: errorsOver(windowMs),
      expr: badShareOf(indicator, durationText(windowMs), overWindow),
    }));
    return [{ name: `${name}/errors`, ...languageOf(indicator.total), labels, rules }];
  }
  const { badShare, everyMs } = indicator;
  const moments = { record: "slo:moment_errors:ratio", expr: momentShareOf(badShare, everyMs, overWindow) };
  const interval = durationText(everyMs);
  const rules = WINDOWS_MS.map((windowMs) => ({
    record: errorsOver(windowMs),
    expr: `avg_over_time(slo:moment_errors:ratio${selectorOf(slo)}[${durationText(windowMs)}])`,
  }));
  const language = languageOf(badShare.of === "slice" ? badShare.events.total : badShare.query);
  return [
    { name: `${name}/moments`, interval, ...language, labels, rules: [moments] },
    { name: `${name}/errors`, labels, rules },
  ];
}

type Events = Extract<SloIndicator, { kind: "events" }>;

/** Nothing where nothing happened; all of one kind where there is none of the other. */
function badShareOf(events: Events, window: string, overWindow: SloRulesOptions["overWindow"]): string {
  const part = `(${overWindow(events.part, window, events.isCounter)})`;
  const total = `(${overWindow(events.total, window, events.isCounter)})`;
  const share = `(${part} or ${total} * 0) / (${total} > 0)`;
  return events.partIs === "bad" ? share : `1 - ${share}`;
}

function momentShareOf(share: MomentShare, everyMs: number, overWindow: SloRulesOptions["overWindow"]): string {
  switch (share.of) {
    case "ratio":
      return share.isGood ? `1 - (${share.query.text})` : share.query.text;
    case "threshold":
      return `(${share.query.text}) ${share.badOp} bool ${share.value}`;
    case "slice": {
      const bad = badShareOf(share.events, durationText(everyMs), overWindow);
      return share.target === undefined ? bad : `(${bad}) > bool ${budgetOf(share.target)}`;
    }
  }
}

/** What is left is counted by time: an hour of little traffic weighs as much as any other. */
function budgetRules(slo: Slo): readonly SloRule[] {
  const selector = selectorOf(slo);
  const window = durationText(slo.windowMs);
  const shortest = `${errorsOver(SHORTEST_MS)}${selector}`;
  const budget = budgetOf(slo.target);
  return [
    { record: "slo:objective:ratio", expr: `vector(${slo.target})` },
    { record: "slo:burn_rate:ratio", expr: `${shortest} / ${budget}` },
    { record: "slo:error_budget_left:ratio", expr: `1 - avg_over_time(${shortest}[${window}]) / ${budget}` },
  ];
}

function alertRules(slo: Slo, name: string, warn: (problem: string) => void): readonly SloRule[] {
  const rules: SloRule[] = [];
  for (const severity of ["page", "ticket"] as const) {
    const expr = CONDITIONS.filter((condition) => condition.severity === severity)
      .flatMap(({ share, longMs, shortMs }) => {
        // Where a tenth may fail a burn of 14 times that can't be.
        const limit = rounded(((share * slo.windowMs) / longMs) * budgetOf(slo.target));
        if (limit >= 1) {
          warn(
            `${name}: more than all would have to fail for ${durationText(longMs)} to use ${share * 100}% of the budget`,
          );
          return [];
        }
        const over = (windowMs: number) => `${errorsOver(windowMs)}${selectorOf(slo)} > ${limit}`;
        return [`(${over(shortMs)} and ${over(longMs)})`];
      })
      .join("\nor\n");
    if (expr === "") continue;
    rules.push({
      alert: "ErrorBudgetBurns",
      expr,
      labels: { severity },
      annotations: annotationsOf(slo),
    });
  }
  return rules;
}

function annotationsOf(slo: Slo): Record<string, string> {
  const promise = `${rounded(slo.target * 100)}% in ${durationText(slo.windowMs)}`;
  return {
    summary: `${slo.service}: ${slo.name} uses up its error budget too fast`,
    description: `{{ $value | humanizePercentage }} failed lately; promised is ${promise}.`,
    ...slo.annotations,
  };
}

function selectorOf(slo: Slo): string {
  const matchers = Object.entries(identityOf(slo)).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${matchers.join(",")}}`;
}

function languageOf({ language }: RuleExpression): { readonly language?: RuleLanguage } {
  return language === "promql" ? {} : { language };
}

function errorsOver(windowMs: number): string {
  return `slo:errors:ratio_rate${durationText(windowMs)}`;
}

function durationText(ms: number): string {
  return formatPrometheusDuration(ms * MS_IN_NS);
}

/** The share that may be bad. */
function budgetOf(target: number): number {
  return rounded(1 - target);
}

/** Without what binary fractions add: 1 - 0.999 is 0.001. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
