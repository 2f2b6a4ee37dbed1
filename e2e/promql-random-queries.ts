import {
  AGGREGATORS,
  ARITHMETIC,
  COMPARISONS,
  OF_COUNTER_RANGES,
  OF_HISTOGRAMS,
  OF_RANGES,
  OF_TIMES,
  OF_VECTOR,
  SET_OPERATORS,
  TRIMS,
} from "./promql-random-functions.ts";
import type { RandomMetric } from "./promql-random-metrics.ts";
import type { RandomNumbers } from "./promql-random-numbers.ts";
import { RandomSelectors, type SelectorOptions } from "./promql-random-selectors.ts";
import { leaf, type QueryTree, textOf } from "./promql-random-tree.ts";

/** Random well-typed queries of a given depth: every function, operator and modifier of the language. */
export class RandomQueries {
  readonly #random: RandomNumbers;
  readonly #selectors: RandomSelectors;

  constructor(options: SelectorOptions) {
    this.#random = options.random;
    this.#selectors = new RandomSelectors(options);
  }

  query(depth: number): QueryTree {
    const kind = this.#random.weighted({ vector: 90, scalar: 5, matrix: 3, string: 0.3 });
    if (kind === "matrix") return this.#matrix(depth, this.#selectors.metric());
    if (kind === "string") return leaf("string", '"text"');
    return kind === "scalar" ? this.#scalar(depth) : this.#vector(depth);
  }

  /** `metric` is what the selectors inside should be of, so that operands have something in common. */
  #vector(depth: number, metric?: RandomMetric): QueryTree {
    if (depth <= 1) return this.#selectors.vector(metric);
    const kind = this.#random.weighted({
      selector: 4,
      range: 26,
      aggregate: 20,
      binary: 20,
      call: 14,
      histogram: 10,
      labels: 5,
      unary: 2,
      parens: 2,
      made: 2,
      info: 1.5,
    });
    switch (kind) {
      case "selector":
        return this.#selectors.vector(metric);
      case "range":
        return this.#rangeCall(depth, metric);
      case "aggregate":
        return this.#aggregate(depth, metric);
      case "binary":
        return this.#binary(depth, metric);
      case "call":
        return this.#call(depth, metric);
      case "histogram":
        return this.#histogram(depth);
      case "labels":
        return this.#labels(depth, metric);
      case "unary":
        return wrap("vector", [this.#vector(depth - 1, metric)], ([text]) => `-(${text})`);
      case "parens":
        return wrap("vector", [this.#vector(depth - 1, metric)], ([text]) => `(${text})`);
      case "made":
        return wrap("vector", [this.#scalar(depth - 1)], ([text]) => `vector(${text})`);
      case "info":
        return this.#info(depth, metric);
    }
  }

  #scalar(depth: number): QueryTree {
    const random = this.#random;
    const kind = random.weighted({
      number: 10,
      time: 2,
      pi: 1,
      bounds: 1,
      scalar: 4,
      binary: 3,
      extremes: 1,
      negative: 1,
    });
    if (depth <= 1 || kind === "number") return this.#number();
    switch (kind) {
      case "time":
        return leaf("scalar", "time()");
      case "pi":
        return leaf("scalar", "pi()");
      case "bounds":
        return leaf("scalar", random.one(["start()", "end()", "step()", "range()"]));
      case "scalar":
        return wrap("scalar", [this.#vector(depth - 1)], ([text]) => `scalar(${text})`);
      case "binary":
        return this.#scalarBinary(depth);
      case "extremes": {
        const name = random.one(["min_of", "max_of"]);
        return wrap("scalar", [this.#scalar(depth - 1), this.#scalar(depth - 1)], ([a, b]) => `${name}(${a}, ${b})`);
      }
      case "negative":
        return wrap("scalar", [this.#scalar(depth - 1)], ([text]) => `-(${text})`);
    }
  }

  #number(): QueryTree {
    const texts = [
      "0",
      "1",
      "2",
      "-1",
      "0.5",
      "3.7",
      "1e3",
      "-0.25",
      "100",
      "1e-9",
      "Inf",
      "-Inf",
      "NaN",
      "1m",
      "0x1F",
      "1_000",
    ];
    return leaf("scalar", this.#random.one(texts));
  }

  #scalarBinary(depth: number): QueryTree {
    const op = this.#random.one([...ARITHMETIC, ...COMPARISONS.map((name) => `${name} bool`)]);
    return wrap("scalar", [this.#scalar(depth - 1), this.#scalar(depth - 1)], ([a, b]) => `(${a}) ${op} (${b})`);
  }

  #matrix(depth: number, metric?: RandomMetric): QueryTree {
    if (depth <= 2 || this.#random.chance(0.8)) return this.#selectors.matrix(metric);
    return this.#selectors.subquery(this.#vector(depth - 1, metric));
  }

  #rangeCall(depth: number, metric?: RandomMetric): QueryTree {
    const random = this.#random;
    const isCounter = random.chance(0.4);
    const chosen = metric ?? this.#selectors.metric(isCounter ? "counter" : undefined);
    const of = this.#matrix(depth, chosen);
    const kind = random.weighted({ plain: 30, quantile: 2, predict: 2, smoothing: 2 });
    switch (kind) {
      case "plain": {
        const name = random.one(isCounter ? OF_COUNTER_RANGES : OF_RANGES);
        // Prometheus counts it as a change when the same histogram has other empty buckets in the next chunk of its head.
        const sure = name === "changes" && chosen.kind === "histogram" ? "resets" : name;
        return wrap("vector", [of], ([text]) => `${sure}(${text})`);
      }
      case "quantile":
        return wrap("vector", [this.#scalar(depth - 1), of], ([q, text]) => `quantile_over_time(${q}, ${text})`);
      case "predict":
        return wrap("vector", [of, this.#scalar(depth - 1)], ([text, t]) => `predict_linear(${text}, ${t})`);
      case "smoothing": {
        const [sf, tf] = [random.one(["0.1", "0.5", "0.9"]), random.one(["0.1", "0.5", "0.99"])];
        return wrap("vector", [of], ([text]) => `double_exponential_smoothing(${text}, ${sf}, ${tf})`);
      }
    }
  }

  #aggregate(depth: number, metric = this.#selectors.metric()): QueryTree {
    const op = this.#random.one(AGGREGATORS);
    const grouping = this.#grouping(metric);
    const inner = this.#vector(depth - 1, metric);
    const plain = (children: readonly QueryTree[], head: string): QueryTree => {
      const chooses = CHOOSING[op];
      const tree: QueryTree = {
        ...wrap("vector", children, (texts) => `${op}${head}(${texts.join(", ")})`),
        ...(chooses && { chooses }),
        ...(DEVIATIONS.has(op) && { common: ([text]) => `avg${head}(${text}) / stddev${head}(${text})` }),
      };
      return head === "" ? tree : { ...tree, simpler: [plain(children, "")] };
    };
    switch (op) {
      case "topk":
      case "bottomk":
      case "limitk":
        return plain([leaf("scalar", this.#random.one(["1", "2", "3", "10", "0", "-1", "2.9"])), inner], grouping);
      case "limit_ratio":
        return plain(
          [leaf("scalar", this.#random.one(["0.3", "-0.7", "1", "0", "0.5", "-0.2", "1.5"])), inner],
          grouping,
        );
      case "quantile":
        return plain([this.#parameter(depth), inner], grouping);
      case "count_values":
        return plain([leaf("string", this.#random.one(['"value"', '"job"', '"a.b"'])), inner], grouping);
      default:
        return plain([inner], grouping);
    }
  }

  /** Without `@`: Prometheus forgets it there from the second step on. */
  #parameter(depth: number): QueryTree {
    const parameter = this.#scalar(depth - 1);
    return textOf(parameter).includes(" @ ") ? this.#parameter(depth) : parameter;
  }

  #grouping(metric: RandomMetric): string {
    const kind = this.#random.weighted({ none: 3, by: 5, without: 3 });
    if (kind === "none") return "";
    return ` ${kind} (${this.#labelList(metric)}) `;
  }

  #labelList(metric: RandomMetric): string {
    const labels = Array.from({ length: this.#random.integer(0, 3) }, () => this.#selectors.label(metric));
    return [...new Set(labels)].map(RandomSelectors.labelText).join(", ");
  }

  #binary(depth: number, metric = this.#selectors.metric()): QueryTree {
    const random = this.#random;
    const kind = random.weighted({ arithmetic: 6, comparison: 4, set: 3, trim: 0.7 });
    const ops = { arithmetic: ARITHMETIC, comparison: COMPARISONS, set: SET_OPERATORS, trim: TRIMS }[kind];
    let op = random.one(ops);
    if (kind === "comparison" && random.chance(0.3)) op += " bool";
    const side = kind === "set" ? "both" : random.weighted({ both: 6, left: 3, right: kind === "trim" ? 0 : 2 });
    if (side !== "both") {
      const vector = this.#vector(depth - 1, metric);
      const scalar = this.#scalar(depth - 1);
      const [first, second] = side === "left" ? [vector, scalar] : [scalar, vector];
      return wrap("vector", [first, second], ([a, b]) => `(${a}) ${op} (${b})`);
    }
    const matching = this.#matching(metric, kind === "set");
    const left = this.#operand(depth, metric);
    const right = this.#operand(depth, random.chance(0.85) ? metric : this.#selectors.metric());
    const binary = (modifiers: string) => wrap("vector", [left, right], ([a, b]) => `(${a}) ${op}${modifiers} (${b})`);
    return matching === "" ? binary("") : { ...binary(matching), simpler: [binary("")] };
  }

  #operand(depth: number, metric: RandomMetric): QueryTree {
    return this.#random.chance(0.4) ? this.#selectors.vector(metric) : this.#vector(depth - 1, metric);
  }

  #matching(metric: RandomMetric, isSet: boolean): string {
    const random = this.#random;
    const kind = random.weighted({ none: 4, on: 3, ignoring: 2 });
    let text = kind === "none" ? "" : ` ${kind} (${this.#labelList(metric)})`;
    if (kind !== "none" && !isSet && random.chance(0.5)) {
      text += ` group_${random.one(["left", "right"])}${random.chance(0.4) ? ` (${this.#labelList(metric)})` : ""}`;
    }
    if (!isSet && random.chance(0.08)) {
      text += random.one([
        " fill (0)",
        " fill_left (1)",
        " fill_right (2.5)",
        " fill_left (1) fill_right (-1)",
        " fill (NaN)",
      ]);
    }
    return text;
  }

  #call(depth: number, metric?: RandomMetric): QueryTree {
    const random = this.#random;
    const inner = this.#vector(depth - 1, metric);
    const kind = random.weighted({ plain: 20, times: 3, clamp: 2, bound: 2, round: 3 });
    switch (kind) {
      case "plain": {
        const name = random.one(OF_VECTOR);
        return wrap("vector", [inner], ([text]) => `${name}(${text})`);
      }
      case "times": {
        const name = random.one(OF_TIMES);
        return random.chance(0.1)
          ? leaf("vector", `${name}()`)
          : wrap("vector", [inner], ([text]) => `${name}(${text})`);
      }
      case "clamp": {
        const bounds = [this.#scalar(depth - 1), this.#scalar(depth - 1)];
        return wrap("vector", [inner, ...bounds], ([text, low, high]) => `clamp(${text}, ${low}, ${high})`);
      }
      case "bound": {
        const name = random.one(["clamp_min", "clamp_max"]);
        return wrap("vector", [inner, this.#scalar(depth - 1)], ([text, bound]) => `${name}(${text}, ${bound})`);
      }
      case "round":
        if (random.chance(0.5)) return wrap("vector", [inner], ([text]) => `round(${text})`);
        return wrap("vector", [inner, this.#scalar(depth - 1)], ([text, to]) => `round(${text}, ${to})`);
    }
  }

  #histogram(depth: number): QueryTree {
    const random = this.#random;
    const isClassic = random.chance(0.35);
    const metric = this.#selectors.metric(isClassic ? "bucket" : "histogram");
    const inner = this.#histogramOperand(depth, metric, isClassic);
    const kind = random.weighted({ plain: isClassic ? 0.5 : 6, quantile: 4, fraction: 2, quantiles: 1, itself: 1 });
    switch (kind) {
      case "plain": {
        const name = random.one(OF_HISTOGRAMS);
        return wrap("vector", [inner], ([text]) => `${name}(${text})`);
      }
      case "quantile":
        return wrap("vector", [this.#quantile(depth), inner], ([q, text]) => `histogram_quantile(${q}, ${text})`);
      case "fraction": {
        const bounds = [this.#scalar(depth - 1), this.#scalar(depth - 1)];
        return wrap(
          "vector",
          [...bounds, inner],
          ([low, high, text]) => `histogram_fraction(${low}, ${high}, ${text})`,
        );
      }
      case "quantiles": {
        const args = [inner, this.#quantile(1), this.#quantile(1)];
        return wrap("vector", args, ([text, a, b]) => `histogram_quantiles(${text}, "q", ${a}, ${b})`);
      }
      case "itself":
        return inner;
    }
  }

  #quantile(depth: number): QueryTree {
    if (this.#random.chance(0.1)) return this.#scalar(depth - 1);
    return leaf("scalar", this.#random.one(["0.5", "0.9", "0.99", "0", "1", "0.01", "0.25"]));
  }

  #histogramOperand(depth: number, metric: RandomMetric, isClassic: boolean): QueryTree {
    const random = this.#random;
    if (depth <= 2 || random.chance(0.2)) return this.#selectors.vector(metric);
    const rate = wrap(
      "vector",
      [this.#selectors.matrix(metric)],
      ([text]) => `${random.one(["rate", "increase"])}(${text})`,
    );
    const name = random.one([
      "rate",
      "increase",
      "sum_over_time",
      "avg_over_time",
      "last_over_time",
      "delta",
      "irate",
      "idelta",
    ]);
    const changed = random.chance(0.6) ? rate : wrap("vector", rate.children, ([text]) => `${name}(${text})`);
    if (random.chance(0.5)) return random.chance(0.8) ? changed : this.#vector(depth - 1, metric);
    const op = random.one(["sum", "avg", "sum"]);
    const labels = isClassic
      ? `le, ${RandomSelectors.labelText(this.#selectors.label(metric))}`
      : this.#labelList(metric);
    return wrap("vector", [changed], ([text]) => `${op} by (${labels}) (${text})`);
  }

  #labels(depth: number, metric = this.#selectors.metric()): QueryTree {
    const random = this.#random;
    const inner = this.#vector(depth - 1, metric);
    const label = () => JSON.stringify(this.#selectors.label(metric));
    switch (random.weighted({ replace: 4, join: 2, sort: 2 })) {
      case "replace": {
        const target = random.chance(0.5) ? '"new"' : label();
        const pattern = random.one(['"(.*)"', '"(.).*"', '"([^:]+):(.*)"', '".*"', '"(?P<x>.+)"']);
        const to = random.one(['"$1"', '"x-$1"', '""', '"$2"', '"${x}"', '"fixed"']);
        const source = label();
        return wrap("vector", [inner], ([text]) => `label_replace(${text}, ${target}, ${to}, ${source}, ${pattern})`);
      }
      case "join": {
        const sources = Array.from({ length: random.integer(0, 3) }, label);
        const args = [random.chance(0.5) ? '"new"' : label(), random.one(['"-"', '""']), ...sources].join(", ");
        return wrap("vector", [inner], ([text]) => `label_join(${text}, ${args})`);
      }
      case "sort": {
        const name = random.one(["sort_by_label", "sort_by_label_desc"]);
        const sources = Array.from({ length: random.integer(1, 2) }, label).join(", ");
        return wrap("vector", [inner], ([text]) => `${name}(${text}, ${sources})`);
      }
    }
  }

  #info(depth: number, metric?: RandomMetric): QueryTree {
    const matchers = this.#random.one(["", ', {__name__=~".+_info"}', ', {version=~".+"}', ', {__name__="go_info"}']);
    return wrap("vector", [this.#vector(depth - 1, metric)], ([text]) => `info(${text}${matchers})`);
  }
}

const CHOOSING: Readonly<Record<string, QueryTree["chooses"]>> = { topk: "ties", bottomk: "ties", limitk: "any" };

const DEVIATIONS = new Set(["stddev", "stdvar"]);

type Texts = readonly [string, string, string, ...string[]];

/** `write` is given as many texts as there are children. */
function wrap(type: QueryTree["type"], children: readonly QueryTree[], write: (texts: Texts) => string): QueryTree {
  return { type, children, write: (texts) => write(texts as Texts) };
}
