import { InvalidInputError, SightlineError } from "@sightline/model/errors.ts";
import type { CheckedExpression, RuleEvaluator, RuleLanguage } from "@sightline/model/rules.ts";
import type { GroupConfig, RuleConfig } from "./rule-config.ts";
import { templateProblems } from "./rule-templates.ts";
import { readYaml, type YamlFields, type YamlReader, type YamlValue } from "./yaml-reader.ts";

/** A rule file is not valid. `problems` are worded as promtool words them: `4:5: group "a", rule 1, "b": …`. */
export class RuleFileError extends InvalidInputError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

export type ParseRuleFileOptions = {
  readonly check: RuleEvaluator["check"];
  /** Of expressions that name none; absent: found by itself. */
  readonly language?: RuleLanguage | undefined;
  /** Keys that nobody knows are passed over. */
  readonly ignoresUnknown?: boolean | undefined;
};

/** More than anybody has, and few enough to be read at once. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads rule groups: Prometheus' format, Loki's, and `language` (of a group or rule), `no_data_for` and `error_for` (of
 * an alerting rule). Throws {@link RuleFileError} with everything that is wrong.
 */
export function parseRuleFile(text: string, options: ParseRuleFileOptions): readonly GroupConfig[] {
  if (Buffer.byteLength(text) > MAX_BYTES) throw new RuleFileError([`rule files may have ${MAX_BYTES} bytes`]);
  try {
    return groupsOf(readYaml(text, { ignoresUnknown: options.ignoresUnknown === true }), options);
  } catch (cause) {
    if (cause instanceof RuleFileError || !(cause instanceof InvalidInputError)) throw cause;
    throw new RuleFileError([cause.message]);
  }
}

function groupsOf(reader: YamlReader, options: ParseRuleFileOptions): readonly GroupConfig[] {
  const root = reader.root(["groups"]);
  const parser = new GroupsParser(options);
  const groups = root.list("groups").map((value) => parser.group(value));
  parser.resolveAmbiguous();
  if (reader.problems.length > 0)
    throw new RuleFileError([`yaml: unmarshal errors:\n  ${reader.problems.join("\n  ")}`]);
  if (parser.problems.length > 0) throw new RuleFileError(parser.problems);
  return groups.map(({ rules, ...group }) => ({ ...group, rules: rules.map((rule) => parser.finished(rule)) }));
}

/** {@link parseRuleFile}, wherever it is done: large files take long. */
export type ReadRuleFile = (
  text: string,
  options?: Pick<ParseRuleFileOptions, "language">,
) => Promise<readonly GroupConfig[]>;

/** One group by itself, as the ruler APIs take it. Throws as {@link parseRuleFile}. */
export async function readRuleGroup(
  read: ReadRuleFile,
  text: string,
  language: RuleLanguage | "",
): Promise<GroupConfig> {
  const indented = text.replaceAll(/^(?=.)/gm, "    ").replace(/^ {4}/, "  - ");
  const [group] = await read(`groups:\n${indented}`, { language: language === "" ? undefined : language });
  if (!group) throw new RuleFileError(["there is no rule group"]);
  return group;
}

const GROUP_KEYS = ["name", "interval", "query_offset", "limit", "rules", "labels", "language", "source_tenants"];
const RULE_KEYS = "record alert expr for keep_firing_for labels annotations language no_data_for error_for".split(" ");

type Draft = Omit<RuleConfig, "expression"> & {
  readonly text: string;
  expression: CheckedExpression | undefined;
  /** It was asked for. */
  readonly isNamed: boolean;
};

class GroupsParser {
  readonly problems: string[] = [];
  readonly #options: ParseRuleFileOptions;
  readonly #names = new Set<string>();
  readonly #drafts: Draft[] = [];

  constructor(options: ParseRuleFileOptions) {
    this.#options = options;
  }

  group(value: YamlValue): Omit<GroupConfig, "rules"> & { readonly rules: readonly Draft[] } {
    const map = value.map(GROUP_KEYS);
    const name = map.text("name");
    if (name === "") this.problems.push(`${value.position}: Groupname must not be empty`);
    if (this.#names.has(name)) {
      this.problems.push(`${value.position}: groupname: "${name}" is repeated in the same file`);
    }
    this.#names.add(name);
    const labels = map.texts("labels");
    for (const problem of labelProblems(labels)) this.problems.push(problem);
    const language = this.#language(map.text("language"), (problem) => this.problems.push(problem));
    const rules = map
      .list("rules")
      .map((rule, i) => this.#rule(rule, { group: name, number: i + 1, labels, language }));
    return {
      name,
      intervalMs: map.duration("interval") || undefined,
      queryOffsetMs: map.has("query_offset") ? map.duration("query_offset") : undefined,
      limit: map.integer("limit"),
      labels,
      rules,
    };
  }

  #rule(
    value: YamlValue,
    group: {
      readonly group: string;
      readonly number: number;
      readonly labels: Readonly<Record<string, string>>;
      readonly language: RuleLanguage | undefined;
    },
  ): Draft {
    const map = value.map(RULE_KEYS);
    const [record, alert, text] = [map.text("record"), map.text("alert"), map.text("expr")];
    const name = alert || record;
    const say = (problem: string, ...keys: string[]) => {
      const places = keys.map((key) => `${map.positionOf(key)}: `).join("");
      this.problems.push(`${places}group ${quoted(group.group)}, rule ${group.number}, ${quoted(name)}: ${problem}`);
    };
    const [forMs, keepFiringForMs] = [map.duration("for"), map.duration("keep_firing_for")];
    const [labels, annotations] = [map.texts("labels"), map.texts("annotations")];
    if (record !== "" && alert !== "") say("only one of 'record' and 'alert' must be set", "record", "alert");
    if (record === "" && alert === "") say("one of 'record' or 'alert' must be set", "record", "alert");
    const language = this.#language(map.text("language"), say) ?? group.language ?? this.#options.language;
    let expression: CheckedExpression | undefined;
    if (text === "") say("field 'expr' must be set in rule", "expr");
    else expression = this.#check(text, language, (problem) => say(problem, "expr"));
    if (record !== "") for (const problem of recordProblems(record, annotations, map)) say(problem, "record");
    for (const problem of labelProblems(labels)) say(problem);
    for (const key of Object.keys(annotations)) if (!isLabelName(key)) say(`invalid annotation name: ${key}`);
    if (alert !== "") for (const problem of templateProblems(alert, { labels, annotations })) say(problem);
    const draft: Draft = {
      kind: alert === "" ? "recording" : "alerting",
      name,
      text,
      expression,
      isNamed: language !== undefined,
      labels: { ...group.labels, ...labels },
      annotations,
      forMs,
      keepFiringForMs,
      noDataForMs: map.has("no_data_for") ? map.duration("no_data_for") : undefined,
      errorForMs: map.has("error_for") ? map.duration("error_for") : undefined,
    };
    this.#drafts.push(draft);
    return draft;
  }

  #language(text: string, say: (problem: string) => void): RuleLanguage | undefined {
    if (text === "" || text === "promql" || text === "logql") return text === "" ? undefined : text;
    say(`language is promql or logql, not ${quoted(text)}`);
    return undefined;
  }

  #check(
    text: string,
    language: RuleLanguage | undefined,
    say: (problem: string) => void,
  ): CheckedExpression | undefined {
    const problems: string[] = [];
    for (const candidate of language ? [language] : (["promql", "logql"] as const)) {
      try {
        return this.#options.check({ text, language: candidate });
      } catch (error) {
        if (!(error instanceof SightlineError)) throw error;
        problems.push(error.message);
      }
    }
    // What only LogQL has says what was meant.
    const meant = problems.length > 1 && /\}\s*(\|[=~>]?|!=|!~|!>)|\|=|\|~/.test(text) ? 1 : 0;
    say(`could not parse expression: ${problems[meant]}`);
    return undefined;
  }

  /** What both languages could mean is LogQL in a file of LogQL. */
  resolveAmbiguous(): void {
    const isOfLogs = this.#drafts.some(({ expression }) => expression?.language === "logql");
    if (!isOfLogs) return;
    for (const draft of this.#drafts) {
      const { expression, isNamed, text } = draft;
      if (isNamed || expression?.language !== "promql" || expression.namesMetrics) continue;
      try {
        draft.expression = this.#options.check({ text, language: "logql" });
      } catch (error) {
        if (!(error instanceof SightlineError)) throw error;
      }
    }
  }

  finished({ text: _text, isNamed: _isNamed, expression, ...rule }: Draft): RuleConfig {
    return { ...rule, expression: expression as CheckedExpression };
  }
}

function recordProblems(record: string, annotations: object, map: YamlFields): string[] {
  const problems: string[] = [];
  if (Object.keys(annotations).length > 0) problems.push("invalid field 'annotations' in recording rule");
  for (const key of ["for", "keep_firing_for", "no_data_for", "error_for"]) {
    if (map.duration(key) !== 0) problems.push(`invalid field '${key}' in recording rule`);
  }
  if (!record.isWellFormed()) problems.push(`invalid recording rule name: ${record}`);
  if (/[{}]/.test(record)) {
    problems.push(`braces present in the recording rule name; should it be in expr?: ${record}`);
  }
  return problems;
}

function isLabelName(name: string): boolean {
  return name !== "" && name.isWellFormed();
}

function labelProblems(labels: Readonly<Record<string, string>>): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(labels)) {
    if (!isLabelName(name) || name === "__name__") problems.push(`invalid label name: ${name}`);
    if (!value.isWellFormed()) problems.push(`invalid label value: ${value}`);
  }
  return problems;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
