import { parseGoDuration } from "@sightline/model/go-duration.ts";
import { compileMatcher, type Matcher } from "@sightline/model/matcher.ts";
import type { ComparingFilter, LabelFilter } from "../ast.ts";
import { comparison } from "../metric/scalar-operation.ts";
import { parseHumanBytes } from "../parse/go-bytes.ts";
import { goNumberProblem, parseGoNumber } from "../parse/parse-number.ts";
import { containsIp, parseIpRange } from "./ip-address.ts";
import { ERROR, type LabelBuilder } from "./label-builder.ts";
import { LABEL_FILTER_ERROR, type Stage, StageError } from "./stage.ts";

export type LabelPredicate = (labels: LabelBuilder) => boolean;

/** Throws {@link StageError} for an address that is none. */
export function labelFilterStage(filter: LabelFilter): Stage {
  const passes = compileLabelFilter(filter);
  return { reads: labelsOf(filter), apply: ({ labels }) => passes(labels) };
}

/** Names of the labels it looks at. */
export function labelsOf(filter: LabelFilter): readonly string[] {
  switch (filter.kind) {
    case "and":
    case "or":
      return [...new Set([...labelsOf(filter.left), ...labelsOf(filter.right)])];
    case "matcher":
      return matchesAnything(filter.matcher) ? [] : [filter.matcher.name];
    default:
      return [filter.name];
  }
}

export function compileLabelFilter(filter: LabelFilter): LabelPredicate {
  switch (filter.kind) {
    case "and": {
      const [left, right] = [compileLabelFilter(filter.left), compileLabelFilter(filter.right)];
      // Both sides, whatever the first says: the second may note an error.
      return (labels) => {
        const passes = left(labels);
        return right(labels) && passes;
      };
    }
    case "or": {
      const [left, right] = [compileLabelFilter(filter.left), compileLabelFilter(filter.right)];
      return (labels) => left(labels) || right(labels);
    }
    case "matcher":
      return compileLabelMatcher(filter.matcher);
    case "ip":
      return compileIpFilter(filter);
    default:
      return compileComparison(filter);
  }
}

export function matchesAnything({ op, value }: Matcher): boolean {
  return op === "=~" && (value === ".*" || value === "");
}

/** Loki takes an expression that is empty as one that matches anything. */
export function matchesNothing({ op, value }: Matcher): boolean {
  return op === "!~" && (value === ".*" || value === "");
}

/** As a matcher of a selector: there `.` matches line ends, too. Loki takes `.+` for what is not empty. */
export function inSingleLines(matcher: Matcher): Matcher {
  const { name, op, value } = matcher;
  const isRegex = op === "=~" || op === "!~";
  return isRegex && value !== ".+" && /[\n.]/.test(value) ? { name, op, value: `(?-s:${value})` } : matcher;
}

/** A missing label is empty. */
function compileLabelMatcher(matcher: Matcher): LabelPredicate {
  const { name } = matcher;
  if (matchesAnything(matcher)) return () => true;
  if (matchesNothing(matcher)) return () => false;
  const test = compileMatcher(inSingleLines(matcher));
  if (name === ERROR) return (labels) => test(labels.error);
  return (labels) => test(labels.get(name) ?? "");
}

function compileIpFilter({ name, op, pattern }: Extract<LabelFilter, { kind: "ip" }>): LabelPredicate {
  const range = parseIpRange(pattern);
  if (!range) throw new StageError(`ip: invalid pattern: ${JSON.stringify(pattern)}`);
  return (labels) => {
    if (labels.error !== "") return true;
    const value = labels.get(name);
    return value !== undefined && containsIp(value, range) === (op === "=");
  };
}

type Reading = { readonly value: number } | { readonly error: string };
const READERS: Readonly<Record<ComparingFilter["kind"], (text: string) => Reading>> = {
  number: (text) => {
    const value = parseGoNumber(text);
    return value === undefined ? { error: goNumberProblem(text) } : { value };
  },
  duration: (text) => {
    const duration = parseGoDuration(text);
    return "error" in duration ? duration : { value: duration.ns };
  },
  bytes: (text) => {
    const size = parseHumanBytes(text);
    return "error" in size ? size : { value: size.bytes };
  },
};

/** A line without the label is dropped; one whose label can't be read stays, with an error. */
function compileComparison({ kind, name, op, value: wanted }: ComparingFilter): LabelPredicate {
  const read = READERS[kind];
  const holds = comparison(op);
  return (labels) => {
    const text = labels.get(name);
    if (text === undefined) return false;
    const reading = read(text);
    if ("value" in reading) return holds(reading.value, wanted);
    labels.failFiltering(LABEL_FILTER_ERROR, reading.error);
    return true;
  };
}
