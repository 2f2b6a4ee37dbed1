import { type Labels, labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import type { MetricStore } from "@sightline/model/metric-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { instant, type Question, range } from "./question.ts";
import type { Turns } from "./turns.ts";

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** Metrics with more are left alone: asking for them would keep the server busy. */
const MAX_SERIES = 2_000;
/** Of each kind. */
const MAX_LOOKED_AT = 10;
const PLAIN_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** What groups of series are mostly made by. */
const GROUPING = ["job", "service.name", "service_name", "instance"];

type Sought = { readonly store: MetricStore; readonly tenant: TenantId; readonly endMs: number };
type Metric = { readonly name: string; readonly count: number; readonly series: Labels };

/**
 * Questions about what the tenant has stored around `endMs`, light ones and heavy ones, such as its dashboards may ask:
 * none when there is nothing. Looks for what to ask about until {@link Turns.workedMs} is `untilMs`.
 */
export async function storedQuestions(
  sought: Sought,
  untilMs: number,
  turns: Turns,
): Promise<{ readonly light: readonly Question[]; readonly heavy: readonly Question[] }> {
  const { store, tenant, endMs } = sought;
  const asked = { tenant, range: { startMs: endMs - HOUR * 1_000, endMs }, matchers: [] };
  const names = await store.labelValues(METRIC_NAME, asked, turns.signal);
  const isCounter = (name: string) => name.endsWith("_total");
  const isBucket = (name: string) => name.endsWith("_bucket");
  const counter = await largest(sought, names.filter(isCounter), untilMs, turns);
  const buckets = await largest(sought, names.filter(isBucket), untilMs, turns);
  const gauge = await largest(
    sought,
    names.filter((name) => !isCounter(name) && !isBucket(name)),
    untilMs,
    turns,
  );
  return {
    light: [...(counter ? aboutOneCounter(counter) : []), ...(gauge ? aboutOneGauge(gauge) : [])],
    heavy: [...(counter ? aboutCounters(counter) : []), ...(buckets ? aboutBuckets(buckets) : [])],
  };
}

/** Of some of these metrics the one with most series, but not too many. */
async function largest(
  { store, tenant, endMs }: Sought,
  names: readonly string[],
  untilMs: number,
  turns: Turns,
): Promise<Metric | undefined> {
  let best: Metric | undefined;
  for (const name of names.slice(0, MAX_LOOKED_AT)) {
    await turns.next();
    if (turns.workedMs > untilMs) break;
    const matchers = [{ name: METRIC_NAME, op: "=", value: name } as const];
    const asked = { tenant, range: { startMs: endMs - HOUR * 1_000, endMs }, matchers, limit: MAX_SERIES + 1 };
    const series = await store.series(asked, turns.signal);
    const [first] = series;
    if (first && series.length <= MAX_SERIES && series.length > (best?.count ?? 0)) {
      best = { name, count: series.length, series: first };
    }
  }
  return best;
}

function aboutOneCounter({ name, series }: Metric): Question[] {
  const one = selector(series);
  const by = groupingOf(series);
  const group = by === undefined ? one : selector(series.filter(([label]) => label === by));
  const all = selector([[METRIC_NAME, name]]);
  const values = (label: string) => `/api/v1/label/${encodeURIComponent(label)}/values`;
  return [
    instant(one),
    range(one, HOUR, 15),
    range(`rate(${one}[5m])`, DAY, 60),
    { path: "/api/v1/series", parameters: { "match[]": group, limit: "1000" }, seconds: DAY },
    ...(by === undefined
      ? []
      : [
          { path: values(by), parameters: {}, seconds: DAY },
          { path: values(by), parameters: { "match[]": all }, seconds: DAY },
        ]),
  ];
}

function aboutOneGauge({ series }: Metric): Question[] {
  return [range(`avg_over_time(${selector(series)}[10m])`, DAY, 300)];
}

function aboutCounters({ name, series }: Metric): Question[] {
  const by = groupingOf(series);
  const sum = by === undefined ? "sum" : `sum by (${labelName(by)})`;
  const rate = (more: Labels, op = "=") => `rate(${selector([[METRIC_NAME, name]], more, op)}[5m])`;
  const total = `${sum} (${rate([])})`;
  const some = `${sum} (${rate(series.slice(-1), "=~")})`;
  return [
    instant(total),
    range(total, HOUR, 15),
    range(total, DAY, 300),
    instant(`topk(10, ${rate([])})`),
    range(`${some} / ${total}`, HOUR, 15),
  ];
}

function aboutBuckets({ name, series }: Metric): Question[] {
  const by = groupingOf(series);
  const labels = by === undefined ? "le" : `le, ${labelName(by)}`;
  const rates = `sum by (${labels}) (rate(${selector([[METRIC_NAME, name]])}[5m]))`;
  return [range(`histogram_quantile(0.99, ${rates})`, HOUR, 15)];
}

function groupingOf(series: Labels): string | undefined {
  return GROUPING.find((name) => labelValue(series, name) !== "") ?? series.find(([name]) => name !== METRIC_NAME)?.[0];
}

function labelName(name: string): string {
  return PLAIN_NAME.test(name) ? name : JSON.stringify(name);
}

/** Of all `equal` labels, and of `more` with another operator. */
function selector(equal: Labels, more: Labels = [], op = "="): string {
  const matchers = [
    ...equal.map(([name, value]) => `${labelName(name)}=${JSON.stringify(value)}`),
    ...more.map(([name, value]) => `${labelName(name)}${op}${JSON.stringify(op === "=~" ? escaped(value) : value)}`),
  ];
  return `{${matchers.join(",")}}`;
}

function escaped(text: string): string {
  return `${text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}.*`;
}
