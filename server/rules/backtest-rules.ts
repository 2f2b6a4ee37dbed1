import { readFileSync } from "node:fs";
import {
  type AlertmanagerConfig,
  readAlertmanagerConfig,
} from "@sightline/alerting/alertmanager/config/alertmanager-config.ts";
import { countNotifications } from "@sightline/alerting/alertmanager/dispatch/count-notifications.ts";
import { holdBack } from "@sightline/alerting/alertmanager/dispatch/hold-back.ts";
import { routeTree } from "@sightline/alerting/alertmanager/dispatch/route.ts";
import { MatcherSyntax } from "@sightline/alerting/alertmanager/matchers/matcher-syntax.ts";
import { INTEGRATIONS } from "@sightline/alerting/notify/integrations.ts";
import { type BacktestSeries, backtestRule, type FiringPeriod } from "@sightline/alerting/rules/backtest-rule.ts";
import { parseRuleFile } from "@sightline/alerting/rules/parse-rule-file.ts";
import type { RuleConfig } from "@sightline/alerting/rules/rule-config.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { labelsFrom } from "@sightline/model/labels.ts";
import { headersOf, type Options, timeMsOf, urlOf } from "../command-options.ts";
import { ask } from "../query-command.ts";
import { ExpressionChecker } from "./expression-checker.ts";
import { readSilences } from "./read-silences.ts";

type Range = { readonly startMs: number; readonly endMs: number };

/** Of one question, and below what servers allow. */
const MAX_STEPS = 5_000;
const DEFAULT_INTERVAL_MS = 60_000;
const SHOWN_PERIODS = 20;

/**
 * Says when the alerting rules of files would have fired over what a running server knows, and, with the configuration of
 * an Alertmanager, how many notifications would have come of it by which route: with its inhibition and time intervals, and with
 * silences that the server or a file has. Recorded series must be there already.
 */
export async function backtestRules(files: readonly string[], options: Options): Promise<string> {
  const nowMs = Date.now();
  const { start = "1d", end = "now" } = options as Record<string, string | undefined>;
  const range = { startMs: timeMsOf("start", start, nowMs), endMs: timeMsOf("end", end, nowMs) };
  const config = readConfig(options.alertmanager as string | undefined);
  const silences = await readSilences(options);
  const checker = new ExpressionChecker();
  const lines: string[] = [];
  const all: FiringPeriod[] = [];
  for (const path of files) {
    const groups = parseRuleFile(readFileSync(path, "utf8"), { check: (expression) => checker.check(expression) });
    for (const { name, rules, intervalMs = DEFAULT_INTERVAL_MS } of groups) {
      for (const rule of rules) {
        if (rule.kind !== "alerting") continue;
        const periods = await periodsOf(rule, range, intervalMs, options);
        all.push(...periods);
        lines.push(...reportOf(`${name} ${rule.name}`, periods, range));
      }
    }
  }
  if (config) {
    const isHeld = holdBack({ ...config, alerts: all, silences });
    const counts = countNotifications(routeTree(config.route), all, range.endMs, isHeld);
    for (const { receiver, route, groups, notifications, heldBack } of counts) {
      const held = Object.entries(heldBack).flatMap(([reason, count]) => (count > 0 ? [`${count} ${reason}`] : []));
      const of = held.length > 0 ? `; alerts held back: ${held.join(", ")}` : "";
      lines.push(`${notifications} notifications to ${receiver} about ${groups} groups by ${route}${of}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

async function periodsOf(rule: RuleConfig, range: Range, stepMs: number, options: Options) {
  const startMs = Math.ceil(range.startMs / stepMs) * stepMs;
  const series = new Map<string, { labels: BacktestSeries["labels"]; timesMs: number[]; values: number[] }>();
  for (let from = startMs; from <= range.endMs; from += MAX_STEPS * stepMs) {
    const to = Math.min(range.endMs, from + (MAX_STEPS - 1) * stepMs);
    for (const { metric, values } of await matrixOf(rule, from, to, stepMs, options)) {
      const key = JSON.stringify(metric);
      const one = series.get(key) ?? { labels: labelsFrom(metric), timesMs: [], values: [] };
      series.set(key, one);
      for (const [seconds, value] of values) {
        one.timesMs.push(Math.round(seconds * 1_000));
        one.values.push(value === "NaN" ? Number.NaN : Number(value.replace("Inf", "Infinity")));
      }
    }
  }
  return backtestRule(rule, [...series.values()], { startMs, endMs: range.endMs, stepMs });
}

type Matrix = readonly {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [seconds: number, value: string])[];
}[];

async function matrixOf(
  rule: RuleConfig,
  startMs: number,
  endMs: number,
  stepMs: number,
  options: Options,
): Promise<Matrix> {
  const { text, language } = rule.expression;
  const path = language === "logql" ? "loki/api/v1/query_range" : "api/v1/query_range";
  const parameters = {
    query: text,
    start: String(startMs / 1_000),
    end: String(endMs / 1_000),
    step: String(stepMs / 1_000),
  };
  const answer = await ask(new URL(path, `${urlOf(options)}/`), parameters, headersOf(options));
  if (answer.status !== "success") throw new InvalidInputError(`${rule.name}: ${answer.error}`);
  return (answer.data as unknown as { readonly result: Matrix }).result;
}

function reportOf(name: string, periods: readonly FiringPeriod[], { startMs, endMs }: Range): string[] {
  const firedMs = periods.reduce((sum, period) => sum + (period.endMs ?? endMs) - period.startMs, 0);
  const share = ((100 * firedMs) / Math.max(1, endMs - startMs)).toFixed(1);
  const lines = [`${name}: fired ${periods.length} times, ${share} % of the time`];
  for (const period of periods.slice(0, SHOWN_PERIODS)) {
    const until = period.endMs === undefined ? "still" : new Date(period.endMs).toISOString();
    const labels = Object.entries(period.labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    lines.push(`  ${new Date(period.startMs).toISOString()} – ${until} {${labels.join(", ")}}`);
  }
  if (periods.length > SHOWN_PERIODS) lines.push(`  and ${periods.length - SHOWN_PERIODS} more`);
  return lines;
}

function readConfig(path: string | undefined): AlertmanagerConfig | undefined {
  if (path === undefined) return undefined;
  const options = { syntax: new MatcherSyntax("fallback"), integrationKeys: new Set(INTEGRATIONS.keys()) };
  return readAlertmanagerConfig(readFileSync(path, "utf8"), options);
}
