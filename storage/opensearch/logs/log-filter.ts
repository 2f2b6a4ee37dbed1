import { attributeValue } from "@sightline/model/attributes.ts";
import type { LineFilter } from "@sightline/model/line-filter.ts";
import type { LogStream } from "@sightline/model/log-batch.ts";
import type { FieldFilter } from "@sightline/model/log-store.ts";
import { compileMatcher, compileMatchers, type Matcher } from "@sightline/model/matcher.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import { attributeToken, isExactToken } from "../rows/attribute-text.ts";
import type { RowFilter } from "../rows/row-codec.ts";
import { withoutSeparator } from "../rows/tokens.ts";
import type { LogRecord } from "./log-codec.ts";
import { lineQuery } from "./words.ts";

export type LogConditions = {
  readonly matchers: readonly Matcher[];
  readonly line: readonly LineFilter[];
  /** Of labels as the engine knows them; they only narrow what is read, the engine looks again. */
  readonly fields?: readonly FieldFilter[] | undefined;
  /** Of attributes under their own names, as in {@link RowDeletion}. */
  readonly attributes?: readonly Matcher[] | undefined;
};

export type LogFilter = RowFilter<LogRecord> & { readonly matchesStream: (stream: LogStream) => boolean };

/** OpenSearch refuses queries of more than 1,024 clauses, lists of more than 65,536 terms, and patterns above 1,000. */
const MAX_CLAUSES = 100;
const MAX_TERMS = 10_000;
const MAX_PATTERN_LENGTH = 900;

/**
 * What OpenSearch can be asked for so that no wanted record is missed, and the exact test of each record that it gives.
 * Throws `InvalidInputError` for a regular expression that is none.
 */
export function logFilter({ matchers, line, fields = [], attributes = [] }: LogConditions): LogFilter {
  const must: object[] = [];
  const mustNot: object[] = [];
  for (const matcher of matchers) addLabelQuery(matcher, must, mustNot);
  for (const filter of line) pushDefined(must, lineQuery(filter));
  for (const filter of fields) pushDefined(must, fieldQuery(filter));
  for (const { name, op, value } of attributes) {
    if (op === "=" && value !== "") must.push({ term: { fields: attributeToken(name, value) } });
  }
  const matchesStream = streamTest(matchers);
  const tests = [...line.map(lineTest), ...attributes.map(attributeTest)];
  return {
    must: must.slice(0, MAX_CLAUSES),
    mustNot: mustNot.slice(0, MAX_CLAUSES),
    matchesStream,
    matches: (record) => matchesStream(record.stream) && tests.every((test) => test(record)),
  };
}

function pushDefined(queries: object[], query: object | undefined): void {
  if (query !== undefined) queries.push(query);
}

/** The verdict on a stream holds for all its records. */
export function streamTest(matchers: readonly Matcher[]): (stream: LogStream) => boolean {
  const matches = compileMatchers(matchers);
  const known = new WeakMap<LogStream, boolean>();
  return (stream) => {
    const verdict = known.get(stream) ?? matches(stream.labels);
    known.set(stream, verdict);
    return verdict;
  };
}

function lineTest({ op, text }: LineFilter): (record: LogRecord) => boolean {
  const negated = op === "!=" || op === "!~";
  if (op === "|=" || op === "!=") return ({ body }) => body.includes(text) !== negated;
  const regex = compileRegex(text);
  return ({ body }) => regex.matchesSomewhere(body) !== negated;
}

function attributeTest(matcher: Matcher): (record: LogRecord) => boolean {
  const test = compileMatcher(matcher);
  const { name } = matcher;
  return ({ attributes, stream }) => {
    const own = attributes.find((attribute) => attribute.name === name);
    return test(own?.value ?? attributeValue(stream.resource, name));
  };
}

/** Of index labels. A record has at most one value of each, "" when it lacks it. */
function addLabelQuery({ name, op, value }: Matcher, must: object[], mustNot: object[]): void {
  const negated = op === "!=" || op === "!~";
  const values = op === "=" || op === "!=" ? [value] : compileRegex(value).literals;
  const has = { prefix: { labels: { value: attributeToken(name, "") } } };
  if (!values) {
    const matchesEmpty = compileRegex(value).matchesWhole("");
    const prefix = literalPrefix(value);
    if (!negated && prefix !== undefined) must.push({ prefix: { labels: { value: attributeToken(name, prefix) } } });
    else if (matchesEmpty === negated) must.push(has);
    return;
  }
  if (values.length > MAX_TERMS) return;
  const any = { terms: { labels: values.filter((text) => text !== "").map((text) => attributeToken(name, text)) } };
  const lacks = { bool: { must_not: [has] } };
  const mayLack = values.includes("");
  if (!negated) must.push(mayLack ? { bool: { should: [any, lacks], minimum_should_match: 1 } } : any);
  else if (mayLack) must.push(has);
  if (negated && values.every((text) => isExactToken(name, text))) mustNot.push(any);
}

/** Whether OpenSearch finds just the records of the streams that match. */
export function areMatchersExact(matchers: readonly Matcher[]): boolean {
  return (
    matchers.length <= MAX_CLAUSES &&
    matchers.every(({ name, op, value }) => (op === "=" || op === "!=") && value !== "" && isExactToken(name, value))
  );
}

/** Of `web-.*` and `web-.+`: `web-`. */
function literalPrefix(regex: string): string | undefined {
  const prefix = /^([\w-]+)\.[*+]$/.exec(regex)?.[1];
  return prefix !== undefined && prefix.length < 500 ? prefix : undefined;
}

/** Labels that are not made of an attribute of that name, or not only. */
const RECORD_FIELDS: Readonly<Record<string, string>> = {
  trace_id: "trace_id",
  span_id: "span_id",
  severity_text: "severity_text",
};
const NO_ATTRIBUTES = new Set([
  "detected_level",
  "severity_number",
  "observed_timestamp",
  "scope_name",
  "scope_version",
]);
const MAX_VALUE_LENGTH = 400;

/**
 * A label's name has an underscore for whatever else the attribute's name may have: many attributes could be meant. Maps
 * become a label for each leaf; records that have one are looked at in any case.
 */
function fieldQuery({ name, op = "=", value }: FieldFilter): object | undefined {
  if (op !== "=" || value === "" || value.length > MAX_VALUE_LENGTH || !value.isWellFormed()) return undefined;
  // `__error__` and the like are made by the engine; `…_extracted` is the other name of a label that is there twice.
  if (NO_ATTRIBUTES.has(name) || /^_|^key_|_extracted$/.test(name) || !/^\w{1,200}$/.test(name)) return undefined;
  const pattern = fieldPattern(name, value);
  if (pattern.length > MAX_PATTERN_LENGTH) return undefined;
  const own = RECORD_FIELDS[name];
  const should: object[] = [
    { term: { labels: attributeToken(name, value) } },
    { regexp: { fields: { value: pattern } } },
    { term: { nested: true } },
  ];
  if (own !== undefined) should.push({ term: { [own]: value } });
  return { bool: { should, minimum_should_match: 1 } };
}

/** In Lucene's syntax. */
function fieldPattern(name: string, value: string): string {
  const quoted = withoutSeparator(value).replace(/[^a-zA-Z0-9\u0080-\uffff]/g, "\\$&");
  return `${name.replaceAll("_", "[^a-zA-Z0-9]+")}=${quoted}`;
}
