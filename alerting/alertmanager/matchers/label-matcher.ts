import { InvalidInputError } from "@sightline/model/errors.ts";
import { compileMatcher, type MatchOperator } from "@sightline/model/matcher.ts";
import type { LabelMap } from "../../alert.ts";
import { compareText } from "../labels.ts";
import { goQuote } from "./go-quote.ts";

/** One matcher, ready to use. A label that is missing has the value "". */
export type LabelMatcher = {
  readonly name: string;
  readonly op: MatchOperator;
  readonly value: string;
  readonly matches: (value: string) => boolean;
};

/** What a label name can't have without quotes (pkg/labels/matcher.go, isReserved). */
const RESERVED = /[\s{}!=~,\\"'`]/u;

/** Throws `InvalidInputError` when the regular expression is none. */
export function labelMatcher(name: string, op: MatchOperator, value: string): LabelMatcher {
  try {
    const matches = compileMatcher({ name, op, value });
    // It is compiled when it is first needed; a wrong one must be refused here.
    if (op === "=~" || op === "!~") matches("");
    return { name, op, value, matches };
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new InvalidInputError(regexMessage(cause.message, value), { cause });
  }
}

/** As Go says it, of the whole expression that it makes of the value. */
function regexMessage(message: string, value: string): string {
  const at = message.indexOf("error parsing regexp: ");
  if (at < 0) return `error parsing regexp: ${message}`;
  const isOpen = message.startsWith("error parsing regexp: missing closing )", at);
  return isOpen ? `error parsing regexp: missing closing ): \`^(?:${value})$\`` : message.slice(at);
}

export function matchesAll(matchers: readonly LabelMatcher[], labels: LabelMap): boolean {
  for (const { name, matches } of matchers) if (!matches(labels[name] ?? "")) return false;
  return true;
}

/** `severity="page"`, the name in quotes when it needs them. */
export function formatMatcher({ name, op, value }: Pick<LabelMatcher, "name" | "op" | "value">): string {
  if (RESERVED.test(name)) return `${goQuote(name)}${op}${goQuote(value)}`;
  return `${name}${op}"${value.replace(/[\\\n"]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`))}"`;
}

/** `{a="b",c!="d"}`, in the order given. */
export function formatMatchers(matchers: readonly Pick<LabelMatcher, "name" | "op" | "value">[]): string {
  return `{${matchers.map(formatMatcher).join(",")}}`;
}

const OPERATOR_ORDER: readonly MatchOperator[] = ["=", "!=", "=~", "!~"];

/** By name, then value, then operator. */
export function compareMatchers(a: LabelMatcher, b: LabelMatcher): number {
  return (
    compareText(a.name, b.name) ||
    compareText(a.value, b.value) ||
    OPERATOR_ORDER.indexOf(a.op) - OPERATOR_ORDER.indexOf(b.op)
  );
}
