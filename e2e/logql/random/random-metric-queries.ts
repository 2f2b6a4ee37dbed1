import type { RandomNumbers } from "../../promql-random-numbers.ts";
import { leaf, type QueryTree, textOf } from "../../promql-random-tree.ts";
import { mutated } from "./random-mutations.ts";
import { namesOf } from "./random-names.ts";
import { RandomPipelines } from "./random-pipelines.ts";
import type { App } from "./random-records.ts";

const OF_LINES = ["count_over_time", "rate", "bytes_over_time", "bytes_rate", "absent_over_time"];
const OF_VALUES = [
  "sum_over_time",
  "avg_over_time",
  "min_over_time",
  "max_over_time",
  "stddev_over_time",
  "stdvar_over_time",
  "first_over_time",
  "last_over_time",
  "rate",
  "rate_counter",
  "quantile_over_time",
  "absent_over_time",
];
/** These group by themselves. */
const GROUPED = new Set([
  "avg_over_time",
  "min_over_time",
  "max_over_time",
  "stddev_over_time",
  "stdvar_over_time",
  "first_over_time",
  "last_over_time",
  "quantile_over_time",
]);
const ORDERED = new Set(["first_over_time", "last_over_time", "rate_counter"]);
const AGGREGATIONS = ["sum", "avg", "min", "max", "count", "stddev", "stdvar"];
const RANGES = ["10s", "45s", "1m", "2m30s", "5m", "1h", "1500ms", "90s"];
const ARITHMETIC = ["+", "-", "*", "/", "%", "^"];
const COMPARISONS = ["==", "!=", ">", ">=", "<", "<="];

/** Of queries something is changed in so many, so that they can't be read, or mean something else. */
const WRONG = 0.12;

/** Random LogQL of a given depth: log queries, and samples of every kind; most of it well-typed. */
export class RandomLogql {
  readonly #random: RandomNumbers;
  readonly #pipelines: RandomPipelines;

  constructor(random: RandomNumbers) {
    this.#random = random;
    this.#pipelines = new RandomPipelines(random);
  }

  query(depth: number): QueryTree {
    const query = this.#rightQuery(depth);
    return this.#random.chance(WRONG) ? leaf(query.type, mutated(textOf(query), this.#random)) : query;
  }

  #rightQuery(depth: number): QueryTree {
    const app = this.#pipelines.app();
    const kind = this.#random.weighted({ log: 50, vector: 48, scalar: 2 });
    if (kind === "log") return this.#pipelines.log(app, 5);
    return kind === "scalar" ? this.#scalar(depth) : this.#vector(depth, app);
  }

  #vector(depth: number, app: App): QueryTree {
    if (depth <= 1) return this.#rangeAggregation(app);
    const kind = this.#random.weighted({ range: 6, aggregate: 12, binary: 7, labels: 2, sort: 1, made: 1, parens: 1 });
    switch (kind) {
      case "range":
        return this.#rangeAggregation(app);
      case "aggregate":
        return this.#aggregate(depth, app);
      case "binary":
        return this.#binary(depth, app);
      case "labels":
        return this.#labelReplace(depth, app);
      case "sort":
        return wrap(
          "vector",
          [this.#vector(depth - 1, app)],
          (text) => `${this.#random.one(["sort", "sort_desc"])}(${text})`,
        );
      case "made":
        return leaf("vector", `vector(${this.#random.one(["1", "0", "2.5"])})`);
      case "parens":
        return wrap("vector", [this.#vector(depth - 1, app)], (text) => `(${text})`);
    }
  }

  #rangeAggregation(app: App): QueryTree {
    const random = this.#random;
    const isOfValues = random.chance(0.45);
    const chosen = random.one(isOfValues ? OF_VALUES : OF_LINES);
    const selector = this.#pipelines.selector(app);
    // Which of several lines of one time is the first is open.
    const operation = ORDERED.has(chosen) && /equal|\.\+/.test(selector) ? "sum_over_time" : chosen;
    const parser = isOfValues || random.chance(0.5) ? [this.#pipelines.parser(app)] : [];
    const grouping = isOfValues && GROUPED.has(operation) && random.chance(0.5) ? ` ${this.#grouping(app)}` : "";
    // Series of everything that was parsed are as many as lines: most people keep some.
    const kept = grouping === "" && random.chance(0.5) ? [`| keep ${this.#names(app, 1, 3).join(", ")}`] : [];
    const unwrap = isOfValues ? [this.#pipelines.unwrap(app)] : [];
    const name = unwrap[0]?.match(/(\w+)\)?$/)?.[1];
    const keeps = kept.map((text) => (name ? `${text}, ${name}` : text));
    const filters = random.chance(0.8) ? ['| __error__=""'] : [];
    const after = isOfValues && random.chance(0.2) ? [`| ${this.#pipelines.labelFilter(namesOf(app), 1)}`] : [];
    const stages = random.chance(0.3)
      ? (this.#pipelines.log(app, 2, "").write([]).trim().match(/.*/s) as string[])
      : [];
    const before = isOfValues
      ? [...parser, ...stages.filter(Boolean), ...keeps]
      : [...parser, ...stages.filter(Boolean), ...filters, ...keeps];
    const log = this.#pipelines.pipeline(selector, before);
    const unwrapped = isOfValues ? [...unwrap, ...filters, ...after].join(" ") : "";
    const range = `[${random.one(RANGES)}]${random.chance(0.15) ? ` offset ${random.one(["30s", "2m", "-1m", "1h", "1500ms", "0s", "1m30s", "-1h30m"])}` : ""}`;
    const isRangeFirst = random.chance(0.05);
    const quantile = operation === "quantile_over_time" ? `${random.one(["0", "0.5", "0.9", "1", "0.999"])}, ` : "";
    return {
      type: "vector",
      children: [log],
      write: ([text]) =>
        isRangeFirst
          ? `${operation}(${quantile}${selector} ${range} ${[...before, unwrapped].join(" ")})${grouping}`
          : `${operation}(${quantile}${text} ${unwrapped} ${range})${grouping}`,
    };
  }

  #aggregate(depth: number, app: App): QueryTree {
    const random = this.#random;
    const inner = this.#vector(depth - 1, app);
    const grouping = random.chance(0.75) ? this.#grouping(app) : "";
    const isBehind = random.chance(0.3);
    const write = (operation: string, parameter: string) => (text: string) =>
      isBehind ? `${operation}(${parameter}${text}) ${grouping}` : `${operation} ${grouping} (${parameter}${text})`;
    if (random.chance(0.15)) {
      const operation = random.one(["topk", "bottomk", "topk", "bottomk", "approx_topk"]);
      if (operation === "approx_topk")
        return { ...wrap("vector", [inner], (text) => `approx_topk(3, ${text})`), chooses: "ties" };
      return { ...wrap("vector", [inner], write(operation, `${random.integer(1, 4)}, `)), chooses: "ties" };
    }
    return wrap("vector", [inner], write(random.one(AGGREGATIONS), ""));
  }

  #binary(depth: number, app: App): QueryTree {
    const random = this.#random;
    const operation = random.weighted({ arithmetic: 5, comparison: 4, set: 3 });
    const left = this.#grouped(depth - 1, app);
    if (operation === "set") {
      const right = this.#grouped(depth - 1, app);
      const operator = `${random.one(["and", "or", "unless"])}${random.chance(0.4) ? this.#matching() : ""}`;
      return wrap("vector", [left, right], (a, b) => `${a} ${operator} ${b}`);
    }
    const bool = operation === "comparison" && random.chance(0.4) ? " bool" : "";
    const operator = `${random.one(operation === "comparison" ? COMPARISONS : ARITHMETIC)}${bool}`;
    if (random.chance(0.5)) {
      const number = leaf("scalar", random.one(["0", "2", "-1", "0.5", "1e2"]));
      return random.chance(0.7)
        ? wrap("vector", [left, number], (a, b) => `(${a}) ${operator} ${b}`)
        : wrap("vector", [number, left], (a, b) => `${a} ${operator} (${b})`);
    }
    const right = this.#grouped(depth - 1, app);
    const matching = random.chance(0.4) ? this.#matching() : "";
    const side =
      matching !== "" && random.chance(0.4)
        ? ` ${random.one(["group_left", "group_right"])}${random.one(["", "()", "(method)", "(nope, env)"])}`
        : "";
    return wrap("vector", [left, right], (a, b) => `${a} ${operator}${matching}${side} ${b}`);
  }

  /** Series with few labels, so that both sides of an operation have some in common. */
  #grouped(depth: number, app: App): QueryTree {
    const random = this.#random;
    const by = random.one(["by (env)", "by (env, region)", "by (method)", "by (app)", "", "by (detected_level)"]);
    return wrap("vector", [this.#vector(depth, app)], (text) => `sum ${by} (${text})`);
  }

  #matching(): string {
    return ` ${this.#random.one(["on", "ignoring"])} (${this.#random.some(["env", "method", "region", "nope"], 0.4).join(", ")})`;
  }

  #labelReplace(depth: number, app: App): QueryTree {
    const random = this.#random;
    const [source] = this.#names(app, 1, 1);
    // A name of its own: series that become one are told apart by nothing.
    const call = `"replaced", "${random.one(["$1", "x-$1", "${1}y", "$0", "", "const"])}", "${source}", "${random.one(["(.*)", "(.).*", "(?P<a>[a-z]+).*", "", "nomatch", "(.*)-(.*)"])}"`;
    return wrap("vector", [this.#vector(depth - 1, app)], (text) => `label_replace(${text}, ${call})`);
  }

  #scalar(depth: number): QueryTree {
    const random = this.#random;
    const number = () => leaf("scalar", random.one(["1", "2.5", "-3", "1e3", "0.1"]));
    if (depth <= 1) return number();
    const operator = random.one([...ARITHMETIC, ...COMPARISONS.map((comparison) => `${comparison} bool`)]);
    return wrap("scalar", [this.#scalar(depth - 1), number()], (a, b) => `(${a} ${operator} ${b})`);
  }

  #names(app: App, low: number, high: number): string[] {
    const random = this.#random;
    const names = Object.keys(namesOf(app)).filter((name) => !name.startsWith("__"));
    return [...new Set(Array.from({ length: random.integer(low, high) }, () => random.one(names)))];
  }

  #grouping(app: App): string {
    return `${this.#random.chance(0.8) ? "by" : "without"} (${this.#names(app, 0, 3).join(", ")})`;
  }
}

function wrap(
  type: QueryTree["type"],
  children: readonly QueryTree[],
  write: (...texts: string[]) => string,
): QueryTree {
  return { type, children, write: (texts) => write(...texts) };
}
