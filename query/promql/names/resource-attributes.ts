import type { Matcher } from "@sightline/model/matcher.ts";
import { compileMatcher, type MatchOperator } from "@sightline/model/matcher.ts";
import { quoteRegex } from "@sightline/model/regex.ts";
import type { BinaryExpr, CallExpr, Expr, VectorMatching, VectorSelector } from "../ast.ts";
import { mapChildren } from "../prepare/map-expr.ts";
import { escapeLabelName } from "./escape-name.ts";

/** `"resource.k8s.pod.name"` is the attribute `k8s.pod.name` of the resource that a series comes from. */
const PREFIX = "resource.";
/**
 * These became `job` (`namespace/name`) and `instance`, and `target_info` does not have them again. `read` finds them in the
 * label, `write` a pattern for values of the label from one for theirs.
 */
const IDENTIFYING: ReadonlyMap<string, Identifying> = new Map([
  ["service.instance.id", { label: "instance" }],
  ["service.name", { label: "job", read: "(?:.*/)?(.+)", write: (pattern: string) => `(?:.*/)?(?:${pattern})` }],
  ["service.namespace", { label: "job", read: "(.+)/.*", write: (pattern: string) => `(?:${pattern})/.*` }],
]);
type Identifying = {
  readonly label: string;
  readonly read?: string;
  readonly write?: (pattern: string) => string;
};
/** What a series and the `target_info` of its resource have in common. */
const IDENTITY = ["instance", "job"];
const TARGET_INFO = "target_info";
const NEGATED: Readonly<Record<MatchOperator, MatchOperator>> = { "=": "!=", "!=": "=", "=~": "!~", "!~": "=~" };

export function isResourceLabel(name: string): boolean {
  return name.startsWith(PREFIX) && name.length > PREFIX.length;
}

/**
 * Rewrites resource attributes in matchers, `by`, `on` and `group_left` to what finds them in `target_info`: each selector that
 * needs some becomes `info(selector, {…})`. A matcher that also fits series without the attribute only excludes:
 * `… unless on (instance, job) target_info{…}`. `isStored` says which labels are taken as they are.
 */
export function resolveResourceAttributes(expr: Expr, isStored: (label: string) => boolean): Expr {
  return new ResourceAttributes(isStored).resolve(expr, NONE);
}

const NONE: ReadonlySet<string> = new Set();

class ResourceAttributes {
  readonly #isStored: (label: string) => boolean;

  constructor(isStored: (label: string) => boolean) {
    this.#isStored = isStored;
  }

  /** `wanted`: attributes that an expression around this one groups or matches by. */
  resolve(expr: Expr, wanted: ReadonlySet<string>): Expr {
    switch (expr.kind) {
      case "vector":
        return this.#selector(expr, wanted, (selector) => selector);
      case "call":
        return this.#call(expr, wanted);
      case "aggregate": {
        const { names, attributes } = this.#split(expr.grouping);
        const inner = this.resolve(expr.expr, expr.without ? wanted : union(wanted, attributes));
        return inner === expr.expr && names === expr.grouping ? expr : { ...expr, grouping: names, expr: inner };
      }
      case "binary":
        return this.#binary(expr, wanted);
      default:
        return mapChildren(expr, (child) => this.resolve(child, wanted));
    }
  }

  #call(expr: CallExpr, wanted: ReadonlySet<string>): Expr {
    const range = expr.args.findIndex(({ kind }) => kind === "matrix");
    const arg = expr.args[range];
    if (arg?.kind === "matrix") {
      return this.#selector(arg.vector, wanted, (vector) =>
        vector === arg.vector ? expr : { ...expr, args: expr.args.with(range, { ...arg, vector }) },
      );
    }
    if (expr.func !== "info") return mapChildren(expr, (child) => this.resolve(child, wanted));
    const [of, ...rest] = expr.args as [Expr, ...Expr[]];
    return { ...expr, args: [this.resolve(of, wanted), ...rest] };
  }

  #binary(expr: BinaryExpr, wanted: ReadonlySet<string>): Expr {
    const { matching } = expr;
    if (!matching) return mapChildren(expr, (child) => this.resolve(child, wanted));
    const labels = this.#split(matching.labels);
    const include = this.#split(matching.include);
    const both = matching.on ? union(wanted, labels.attributes) : wanted;
    const onOne = union(both, include.attributes);
    const isOneLeft = matching.card === "one-to-many";
    const left = this.resolve(expr.left, isOneLeft ? onOne : both);
    const right = this.resolve(expr.right, isOneLeft ? both : onOne);
    const resolved: VectorMatching = { ...matching, labels: labels.names, include: include.names };
    return { ...expr, left, right, matching: resolved };
  }

  #split(labels: readonly string[]): { names: readonly string[]; attributes: ReadonlySet<string> } {
    if (!labels.some((label) => this.#isResource(label))) return { names: labels, attributes: NONE };
    const attributes = new Set<string>();
    const names = labels.map((label) => {
      if (!this.#isResource(label)) return label;
      const attribute = label.slice(PREFIX.length);
      const identifying = IDENTIFYING.get(attribute);
      if (identifying && !identifying.read) return identifying.label;
      attributes.add(attribute);
      return identifying ? escapeLabelName(attribute) : attribute;
    });
    return { names, attributes };
  }

  #isResource(label: string): boolean {
    return isResourceLabel(label) && !this.#isStored(label);
  }

  /** `place` puts the selector, without its resource attributes, where it was. */
  #selector(selector: VectorSelector, wanted: ReadonlySet<string>, place: (selector: VectorSelector) => Expr): Expr {
    const isInfo = selector.matchers.some(
      ({ name, op, value }) => name === "__name__" && op === "=" && value === TARGET_INFO,
    );
    const attributes: Matcher[] = [];
    const own: Matcher[] = [];
    const matchers = selector.matchers.filter((matcher) => {
      if (!this.#isResource(matcher.name)) return true;
      const name = matcher.name.slice(PREFIX.length);
      const identifying = IDENTIFYING.get(name);
      (identifying ? own : attributes).push(identifying ? ofIdentity(matcher, identifying) : { ...matcher, name });
      return false;
    });
    matchers.unshift(...own);
    if (isInfo) {
      return attributes.length + own.length === 0
        ? place(selector)
        : place({ ...selector, matchers: [...attributes, ...matchers] });
    }
    const placed = place(attributes.length + own.length === 0 ? selector : { ...selector, matchers });
    const required = attributes.filter((matcher) => !compileMatcher(matcher)(""));
    const excluding = attributes.filter((matcher) => compileMatcher(matcher)(""));
    const named = new Set(required.map(({ name }) => name));
    for (const name of wanted) {
      if (!named.has(name) && !IDENTIFYING.has(name)) required.push({ name, op: "=~", value: ".*" });
    }
    let result = required.length === 0 ? placed : infoOf(placed, required);
    for (const name of wanted) result = withIdentity(result, name, IDENTIFYING.get(name));
    for (const matcher of excluding) result = unless(result, selector, { ...matcher, op: NEGATED[matcher.op] });
    return result;
  }
}

/** A matcher of `job` or `instance` that fits the same as one of what they were made of. */
function ofIdentity({ op, value }: Matcher, { label, write }: Identifying): Matcher {
  if (!write) return { name: label, op, value };
  const pattern = op === "=" || op === "!=" ? quoteRegex(value) : value;
  return { name: label, op: op === "=" || op === "=~" ? "=~" : "!~", value: write(pattern) };
}

function withIdentity(expr: Expr, attribute: string, identifying: Identifying | undefined): Expr {
  if (!identifying?.read) return expr;
  const { range } = expr;
  const texts = [escapeLabelName(attribute), "$1", identifying.label, identifying.read];
  const args = texts.map((value): Expr => ({ kind: "string", value, range }));
  return { kind: "call", func: "label_replace", args: [expr, ...args], range };
}

function infoOf(expr: Expr, matchers: readonly Matcher[]): Expr {
  const { range } = expr;
  const selector: VectorSelector = { kind: "vector", name: "", matchers, offset: 0, range };
  return { kind: "call", func: "info", args: [expr, selector], range };
}

function unless(expr: Expr, { offset, at }: VectorSelector, matcher: Matcher): Expr {
  const { range } = expr;
  const name: Matcher = { name: "__name__", op: "=", value: TARGET_INFO };
  const look = at === undefined ? { offset } : { offset, at };
  const right: VectorSelector = { kind: "vector", name: TARGET_INFO, matchers: [matcher, name], ...look, range };
  const matching: VectorMatching = { card: "many-to-many", on: true, labels: IDENTITY, include: [] };
  return { kind: "binary", op: "unless", left: expr, right, bool: false, matching, range };
}

function union(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  return b.size === 0 ? a : new Set([...a, ...b]);
}
