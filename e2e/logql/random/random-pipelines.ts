import type { RandomNumbers } from "../../promql-random-numbers.ts";
import type { QueryTree } from "../../promql-random-tree.ts";
import { MEASURES, type Names, namesOf } from "./random-names.ts";
import { APP_NAMES, type App, ENVIRONMENTS, REGIONS, WORDS } from "./random-records.ts";
import { RandomTemplates } from "./random-templates.ts";

/** A text as LogQL writes it, between quotes of either kind. */
export function quoted(text: string, inBackticks = false): string {
  return inBackticks && !text.includes("`") ? `\`${text}\`` : JSON.stringify(text);
}

const NEEDLES = [
  ...WORDS,
  "GET",
  "did",
  "long",
  "level",
  "o",
  "a",
  "{",
  "\\d",
  "10.0",
  "item",
  "\u001b",
  "\n",
  "  ",
  "null",
];
const REGEXES = [
  "(?i)error",
  "did .*a",
  "^\\{",
  "\\d+ms",
  "GET|POST",
  ".*",
  ".+",
  "",
  "[aeiou]{2}",
  "(?s)multi.*end$",
  "(?i)é|ERR",
  "日.語",
  "\\bput\\b",
  "(?:level|lvl)=(info|WARN)",
  "x$",
  "^$",
  "(a|b)c?",
  "\\s{3,}",
  "[^ -~]",
  "(?i)WARNING.*alpha",
];
const PATTERNS = [
  "<_>did<_>",
  "did <_>",
  "<_>=<_>",
  "GET<_>",
  "<_>o<_>e<_>",
  "{<_>}",
  "<_> - <_> [<_>]<_>",
  "<_>日本語<_>",
];
const CIDRS = [
  "10.0.0.0/24",
  "10.0.0.1",
  "192.168.0.0/16",
  "192.168.4.70-192.168.4.80",
  "2001:db8::/32",
  "2001:db8::1",
  "::ffff:10.0.0.0/104",
  "0.0.0.0/0",
];
const VALUE_REGEXES = [
  ".+",
  ".*",
  "",
  "G[A-Z]+",
  "(?i)get|post",
  "info|warn|error",
  "[a-zA-Z]*r",
  "[0-9]+",
  "u-[12]",
  "\\d{3}",
  "(a|b)?",
  "(?i)w[a-z]+",
];
const JSON_PATHS = [
  "method",
  "user.id",
  "user.name",
  'user["addr"].city',
  "user.tags[0]",
  "user.tags[2].k",
  "user.tags[9]",
  '["a.b"]',
  "list[1][0]",
  "user",
  "user.tags",
  "status",
  "nope",
  "[0]",
  "a.b.c.d.e",
  "n",
  "esc",
  "user.addr.zip",
];
const COMPARISONS = ["=", "==", "!=", ">", ">=", "<", "<="];
const SHAPES: Readonly<Record<App, readonly string[]>> = {
  json: ["| json", "| json", "| json", "| unpack", "| logfmt"],
  logfmt: [
    "| logfmt",
    "| logfmt",
    "| logfmt --strict",
    "| logfmt --keep-empty",
    "| logfmt --strict --keep-empty",
    "| json",
  ],
  access: [
    '| pattern `<ip> - <user> [<_>] "<method> <path> <_>" <status> <bytes> "<_>" "<agent>"`',
    '| pattern `<_> "<method> <_>" <status> <_>`',
    '| regexp `^(?P<ip>\\S+) - (?P<user>\\S+) .*"(?P<method>[A-Za-z]+) .*" (?P<status>-?\\d+) (?P<bytes>\\d+)`',
    "| regexp `(?P<method>GET|POST)`",
    "| logfmt",
  ],
  text: [
    "| decolorize",
    "| logfmt",
    "| regexp `(?P<word>[a-z]{4,}) (?P<num>\\d+)`",
    "| pattern `[<level>] <msg>`",
    "| pattern `<word>: <_>`",
    "| regexp `(?P<a>a)?(?P<num>\\d)`",
  ],
  packed: ["| unpack", "| unpack", "| json", "| logfmt"],
  numbers: ["| logfmt", "| logfmt", "| regexp `temp=(?P<temp>\\S+)`", "| pattern `total=<total> <_>`"],
  equal: ["| logfmt", "| regexp `(?P<num>\\d+)`"],
};

/** Random selectors with stages behind them. */
export class RandomPipelines {
  readonly #random: RandomNumbers;
  readonly #templates: RandomTemplates;

  constructor(random: RandomNumbers) {
    this.#random = random;
    this.#templates = new RandomTemplates(random);
  }

  app(): App {
    return this.#random.one(APP_NAMES);
  }

  selector(app: App): string {
    const random = this.#random;
    const matchers = [random.weighted({ exact: 8, either: 1.5, all: 1, not: 0.5 })].map(
      (kind) =>
        ({
          exact: `app="${app}"`,
          either: `app=~"${app}|${random.one(APP_NAMES.filter((other) => other !== app))}"`,
          all: 'app=~".+"',
          not: `app=~".+", app!="${this.app()}"`,
        })[kind],
    );
    if (random.chance(0.15))
      matchers.push(
        `env${random.one(["=", "!=", "=~", "!~"])}${quoted(random.one([...ENVIRONMENTS, "prod|dev", "d.*", ""]))}`,
      );
    if (random.chance(0.1))
      matchers.push(
        `region${random.one(["=", "!=", "=~", "!~"])}${quoted(random.one([...REGIONS, "", ".*", "eu.*"]))}`,
      );
    if (random.chance(0.05)) matchers.push(`nope${random.one(["=", "!="])}""`);
    return `{${matchers.join(random.one([", ", ","]))}}`;
  }

  /** A log query of at most this many stages, its parsers those that fit `app` more often than not. */
  log(app: App, maxStages: number, selector = this.selector(app)): QueryTree {
    const random = this.#random;
    const stages = Array.from({ length: random.integer(0, maxStages) }, (_, i) =>
      i === 0 && random.chance(0.55) ? this.parser(app) : this.#stage(app),
    );
    return this.pipeline(selector, stages);
  }

  pipeline(selector: string, stages: readonly string[]): QueryTree {
    const simpler = stages.map((_, i) => () => this.pipeline(selector, stages.toSpliced(i, 1)));
    const text = [selector, ...stages].join(" ");
    // Each shorter one in its turn: all at once would be as many as there are subsets.
    return {
      type: "log",
      children: [],
      write: () => text,
      get simpler() {
        return simpler.map((make) => make());
      },
    };
  }

  parser(app: App): string {
    const random = this.#random;
    if (random.chance(0.12)) return this.#expressions(app);
    return random.chance(0.9) ? random.one(SHAPES[app]) : random.one(SHAPES[this.app()]);
  }

  /** What a sample can be made of, with its conversion. */
  unwrap(app: App): string {
    const random = this.#random;
    const name = random.chance(0.9) ? random.one(MEASURES[app]) : random.one(Object.keys(namesOf(app)));
    const conversion = random.weighted({ none: 6, duration: 1.5, duration_seconds: 1, bytes: 1.5 });
    const fitting = name === "took" ? "duration" : name === "size" ? "bytes" : conversion;
    const used = random.chance(0.8) ? fitting : conversion;
    return used === "none" ? `| unwrap ${name}` : `| unwrap ${used}(${name})`;
  }

  #stage(app: App): string {
    const kind = this.#random.weighted({
      line: 22,
      label: 26,
      parser: 10,
      lineFormat: 12,
      labelFormat: 9,
      drop: 6,
      keep: 6,
      decolorize: 2,
    });
    switch (kind) {
      case "line":
        return this.#lineFilter();
      case "label":
        return `| ${this.labelFilter(namesOf(app), 2)}`;
      case "parser":
        return this.parser(app);
      case "lineFormat":
        return `| line_format ${this.#template(app)}`;
      case "labelFormat":
        return this.#labelFormat(app);
      case "drop":
      case "keep":
        return `| ${kind} ${this.#picks(app)}`;
      case "decolorize":
        return "| decolorize";
    }
  }

  #template(app: App): string {
    return quoted(this.#templates.template(Object.keys(namesOf(app))), this.#random.chance(0.8));
  }

  #expressions(app: App): string {
    const random = this.#random;
    const isJson = app === "json" || app === "packed" || random.chance(0.1);
    const targets = random.some(["a", "b", "method", "env", "x1"], 0.4);
    const names = Object.keys(namesOf(app));
    const plain = names.filter((name) => !name.startsWith("__"));
    // Which label a key goes to that two expressions ask for is open.
    const bySource = new Map<string, string>();
    for (const target of targets.length > 0 ? targets : ["a"]) {
      const isPlain = random.chance(0.15);
      const source = isPlain ? random.one(plain) : random.one(isJson ? JSON_PATHS : names);
      bySource.set(source, isPlain ? source : `${target}=${quoted(source, random.chance(0.3))}`);
    }
    const flags = isJson ? "" : random.one(["", "", "--strict ", "--keep-empty "]);
    return `| ${isJson ? "json" : "logfmt"} ${flags}${[...bySource.values()].join(", ")}`;
  }

  #lineFilter(): string {
    const random = this.#random;
    const operator = random.weighted({ "|=": 6, "!=": 3, "|~": 5, "!~": 2, "|>": 2, "!>": 1 });
    if ((operator === "|=" || operator === "!=") && random.chance(0.12))
      return `${operator} ip("${random.one(CIDRS)}")`;
    const texts = operator.includes("=") ? NEEDLES : operator.includes("~") ? REGEXES : PATTERNS;
    const count = random.chance(0.2) ? random.integer(2, 3) : 1;
    const chain = Array.from({ length: count }, () => quoted(random.one(texts), random.chance(0.3)));
    return `${operator} ${chain.join(" or ")}`;
  }

  labelFilter(names: Names, depth: number): string {
    const random = this.#random;
    if (depth > 0 && random.chance(0.25)) {
      const [a, b] = [this.labelFilter(names, depth - 1), this.labelFilter(names, depth - 1)];
      const both = `${a}${random.one([" and ", " or ", ", ", " "])}${b}`;
      return random.chance(0.5) ? `(${both})` : both;
    }
    const name = random.one(Object.keys(names));
    const kind = random.weighted({ text: 6, regex: 3, number: 4, duration: 1.5, bytes: 1.5, ip: 1 });
    switch (kind) {
      case "text":
        return `${name}${random.one(["=", "!="])}${quoted(random.one(names[name] as readonly string[]), random.chance(0.3))}`;
      case "regex":
        return `${name}${random.one(["=~", "!~"])}${quoted(random.one(VALUE_REGEXES), random.chance(0.5))}`;
      case "ip":
        return `${random.chance(0.7) ? "ip" : name}${random.one(["=", "!="])}ip("${random.one(CIDRS)}")`;
      case "number":
        return `${name} ${random.one(COMPARISONS)} ${random.one(["0", "1", "200", "404", "-1", "2.5", "1e3", "+5"])}`;
      case "duration":
        return `${random.chance(0.7) ? "took" : name} ${random.one(COMPARISONS)} ${random.one(["1s", "12ms", "250us", "1h2m", "0s", "1m30s"])}`;
      case "bytes":
        return `${random.chance(0.7) ? "size" : name} ${random.one(COMPARISONS)} ${random.one(["1KB", "512B", "10B", "3MB", "1GB"])}`;
    }
  }

  #labelFormat(app: App): string {
    const random = this.#random;
    const names = Object.keys(namesOf(app)).filter((name) => !name.startsWith("__"));
    const targets = random.some(["x", "method", "level", "env", "took", "y"], 0.3);
    const formats = (targets.length > 0 ? targets : ["x"]).map(
      (target) => `${target}=${random.chance(0.4) ? random.one(names) : this.#template(app)}`,
    );
    return `| label_format ${formats.join(random.one([", ", ","]))}`;
  }

  #picks(app: App): string {
    const random = this.#random;
    const names = namesOf(app);
    const picks = Array.from({ length: random.integer(1, 4) }, () => {
      const name = random.one(Object.keys(names));
      if (random.chance(0.75)) return name;
      const operator = random.one(["=", "!=", "=~", "!~"]);
      return `${name}${operator}${quoted(operator.includes("~") ? random.one(VALUE_REGEXES) : random.one(names[name] as readonly string[]))}`;
    });
    return picks.join(", ");
  }
}
