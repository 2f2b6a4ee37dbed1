import { quoteRegex } from "@sightline/model/regex.ts";
import type { RandomMetric, Window } from "./promql-random-metrics.ts";
import type { RandomNumbers } from "./promql-random-numbers.ts";
import { leaf, type QueryTree } from "./promql-random-tree.ts";

/** More series than this make answers that take longer to write than to compute. */
const MAX_SERIES = 60;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export type SelectorOptions = {
  readonly random: RandomNumbers;
  readonly metrics: readonly RandomMetric[];
  readonly window: Window;
};

/** Random selectors with all their modifiers, over the metrics that there are. */
export class RandomSelectors {
  readonly #random: RandomNumbers;
  readonly #window: Window;
  readonly #byKind: ReadonlyMap<RandomMetric["kind"], readonly RandomMetric[]>;

  constructor({ random, metrics, window }: SelectorOptions) {
    this.#random = random;
    this.#window = window;
    this.#byKind = Map.groupBy(metrics, ({ kind }) => kind);
  }

  /** Kinds that occur: the favourite three times as often as the others together. */
  metric(favourite?: RandomMetric["kind"]): RandomMetric {
    const found = favourite && this.#random.chance(0.75) ? this.#byKind.get(favourite) : undefined;
    return this.#random.one(found ?? this.#random.one([...this.#byKind.values()]));
  }

  vector(metric = this.metric()): QueryTree {
    const bare = this.#matching(metric);
    const modifiers = this.#modifiers(false);
    return modifiers === "" ? leaf("vector", bare) : leaf("vector", bare + modifiers, [leaf("vector", bare)]);
  }

  matrix(metric = this.metric()): QueryTree {
    const bare = this.#matching(metric);
    const range = this.#length();
    const modifiers = this.#modifiers(true);
    return leaf("matrix", `${bare}[${range}]${modifiers}`, [
      leaf("matrix", `${bare}[1m]`),
      leaf("matrix", `${bare}[${range}]`),
      leaf("matrix", `${bare}[1m]${modifiers}`),
    ]);
  }

  subquery(inner: QueryTree): QueryTree {
    const { text, plain } = this.#subqueryRange();
    const simpler = plain === text ? [] : [{ ...subqueryOf(inner, plain) }];
    return { ...subqueryOf(inner, text), simpler };
  }

  /** A label of the metric's series, or now and then any. */
  label(metric: RandomMetric): string {
    const names = Object.keys(this.#random.one(metric.series)).filter((name) => name !== "__name__");
    if (names.length === 0 || this.#random.chance(0.05)) return this.#random.one(["job", "nothing", "le", "__name__"]);
    return this.#random.one(names);
  }

  /** Names and values in a form that both languages of quoting share. */
  static labelText(name: string): string {
    return LABEL_NAME.test(name) ? name : JSON.stringify(name);
  }

  #matching(metric: RandomMetric): string {
    const random = this.#random;
    const matchers: string[] = [];
    const series = random.one(metric.series);
    if (metric.series.length > MAX_SERIES) matchers.push(...this.#narrowing(metric, series));
    if (random.chance(0.3)) matchers.push(this.#matcher(metric, series));
    if (!LABEL_NAME.test(metric.name)) return `{${[JSON.stringify(metric.name), ...matchers].join(",")}}`;
    if (random.chance(0.05)) return `{${[`__name__=${JSON.stringify(metric.name)}`, ...matchers].join(",")}}`;
    return matchers.length > 0 ? `${metric.name}{${matchers.join(",")}}` : metric.name;
  }

  /** Matchers that leave few series: as many labels of one of them as it takes. */
  #narrowing(metric: RandomMetric, chosen: Readonly<Record<string, string>>): string[] {
    const matchers: string[] = [];
    let left = metric.series;
    for (const [name, value] of Object.entries(chosen)) {
      if (name === "__name__" || name === "le") continue;
      const fewer = left.filter((series) => series[name] === value);
      if (fewer.length === left.length) continue;
      left = fewer;
      matchers.push(`${RandomSelectors.labelText(name)}=${JSON.stringify(value)}`);
      if (left.length <= MAX_SERIES) break;
    }
    return matchers;
  }

  #matcher(metric: RandomMetric, chosen: Readonly<Record<string, string>>): string {
    const random = this.#random;
    const name = this.label(metric);
    const value = chosen[name] ?? "";
    const op = random.one(["=", "!=", "=~", "!~"]);
    const literal = quoteRegex(value);
    const pattern = random.one([
      ".*",
      ".+",
      literal,
      `${literal}|other`,
      `${literal.slice(0, 1)}.*`,
      `.*${literal}`,
      "",
    ]);
    return `${RandomSelectors.labelText(name)}${op}${JSON.stringify(op.length === 1 || op === "!=" ? value : pattern)}`;
  }

  #length(): string {
    return this.#random.one([
      "5s",
      "12s",
      "20s",
      "30s",
      "1m",
      "1m30s",
      "2m",
      "4m",
      "90",
      "1500ms",
      "30s*2",
      "step()+20s",
    ]);
  }

  #subqueryRange(): { text: string; plain: string } {
    const random = this.#random;
    const plain = `[${random.one(["20s", "1m", "95s", "3m"])}:${random.one(["7s", "10s", "15s", "30s"])}]`;
    const step = random.one(["", "7s", "10s", "1m", "20s", "5s+2s", "3.5"]);
    const text = random.chance(0.5) ? plain : `[${random.one(["20s", "1m", "95s", "3m"])}:${step}]`;
    return { text: text + this.#modifiers(false, false), plain };
  }

  #modifiers(isMatrix: boolean, mayExtend = true): string {
    const random = this.#random;
    const parts: string[] = [];
    if (mayExtend && random.chance(0.05)) parts.push(isMatrix && random.chance(0.5) ? "anchored" : "smoothed");
    const placed: string[] = [];
    if (random.chance(0.12))
      placed.push(`offset ${random.one(["5s", "1m", "-10s", "31s", "2.5", "(10s - 3s)", "-step()", "0s"])}`);
    if (random.chance(0.07)) placed.push(`@ ${random.one(["start()", "end()", this.#moment()])}`);
    if (random.chance(0.5)) placed.reverse();
    return [...parts, ...placed].map((part) => ` ${part}`).join("");
  }

  #moment(): string {
    const { start, end } = this.#window;
    return (start + this.#random.fraction() * (end - start)).toFixed(3);
  }
}

function subqueryOf(inner: QueryTree, range: string): QueryTree {
  return {
    type: "matrix",
    children: [inner],
    write: ([text = ""]) => `${needsParens(text) ? `(${text})` : text}${range}`,
  };
}

/** What brackets would not apply to as a whole. */
function needsParens(text: string): boolean {
  return !/^[a-z_0-9]+\((?:[^()]|\([^()]*\))*\)$/.test(text);
}
