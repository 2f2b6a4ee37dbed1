import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePromql } from "../parse/parse-promql.ts";
import { formatExpr } from "./format-expr.ts";

const label = fc.constantFrom("job", "instance", "a.b", "le", "on", "sum");
const matcher = fc
  .tuple(label, fc.constantFrom("=", "!=", "=~", "!~"), fc.constantFrom("", "x", 'q"uote', "a|b", "ä\n"))
  .map(([name, op, value]) => `${JSON.stringify(name)}${op}${JSON.stringify(value)}`);
const modifiers = fc.constantFrom("", " offset 5m", " offset -1h30m", " @ 12.345", " @ end()", " @ 7 offset 1d");
const selector = fc
  .tuple(fc.constantFrom("x", "x_total", "sum", "a:b"), fc.array(matcher, { maxLength: 2 }))
  .map(([name, matchers]) => (matchers.length === 0 ? name : `${name}{${matchers.join(",")}}`));
const vectorSelector = fc.tuple(selector, modifiers).map(([text, rest]) => text + rest);
const matrix = fc
  .tuple(selector, fc.constantFrom("5m", "1h30m", "90", "step() + 1m"), modifiers)
  .map(([text, length, rest]) => `${text}[${length}]${rest}`);
const number = fc.constantFrom("1", "0.5", "1e9", "NaN", "-3", "5m");

/** Texts of instant vectors, up to some depth. */
const { vector } = fc.letrec<{ vector: string }>((tie) => ({
  vector: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    vectorSelector,
    fc.tuple(fc.constantFrom("rate", "sum_over_time", "changes"), matrix).map(([func, arg]) => `${func}(${arg})`),
    fc
      .tuple(tie("vector"), fc.constantFrom("+", "/", "^", "==", "> bool"), number)
      .map((parts) => `(${parts.join(" ")})`),
    fc
      .tuple(
        tie("vector"),
        fc.constantFrom("* on (job) group_left (le)", "and", "or ignoring (le)", "-"),
        tie("vector"),
      )
      .map(([left, op, right]) => `(${left} ${op} ${right})`),
    fc
      .tuple(fc.constantFrom("sum by (job)", "max without (le)", "topk"), tie("vector"))
      .map(([op, arg]) => (op === "topk" ? `topk(3, ${arg})` : `${op} (${arg})`)),
    fc
      .tuple(tie("vector"), fc.constantFrom("[1h:]", "[1h:1m] offset 5m", "[30m:step()]"))
      .map(([inner, range]) => `max_over_time((${inner})${range})`),
    tie("vector").map((inner) => `-${inner}`),
  ),
}));

test("what is printed reads as the same expression", () => {
  fc.assert(
    fc.property(vector, (text) => {
      const printed = formatExpr(parsePromql(text));
      expect(formatExpr(parsePromql(printed))).toBe(printed);
    }),
    { numRuns: 500 },
  );
});
