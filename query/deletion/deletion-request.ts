import { InvalidInputError } from "@sightline/model/errors.ts";
import type { LineFilter } from "@sightline/model/line-filter.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import { z } from "zod";
import { parseRfc3339Ns } from "../http/go-syntax.ts";
import { parseLogql } from "../logql/parse/parse-logql.ts";

const NS_PER_MS = 1_000_000n;

const time = z
  .union([z.string(), z.number()])
  .transform((value, context) => {
    if (typeof value === "number") return BigInt(Math.round(value * 1_000)) * NS_PER_MS;
    const ns = parseRfc3339Ns(value);
    if (ns !== undefined) return ns;
    context.addIssue({ code: "custom", message: "must be seconds since 1970 or a time such as 2026-01-02T15:04:05Z" });
    return z.NEVER;
  })
  .optional();
const attributes = z.record(z.string().min(1), z.string()).default({});

/** The body of `POST /api/v1/admin/deletions`. */
export const deletionBody = z.strictObject({
  signal: z.enum(["logs", "traces"]),
  /** LogQL: matchers, line filters and filters of attributes, each of which has to hold. */
  selector: z.string().default(""),
  /** Names and values of attributes; each has to be equal. */
  attributes,
  start: time,
  end: time,
});

/** The body of `POST /api/v1/admin/erase`. */
export const erasureBody = z.strictObject({
  attributes: attributes.refine((given) => Object.keys(given).length > 0, { message: "name at least one attribute" }),
  start: time,
  end: time,
});

/** Throws `InvalidInputError` that names the field. */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.isBuffer(body) ? body.toString() : "");
  } catch (cause) {
    throw new InvalidInputError(`the body must be JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new InvalidInputError(lines.join("; "));
}

/** From the beginning up to now, where nothing is said. */
export function rangeOf(start: bigint | undefined, end: bigint | undefined, nowMs: number): TimeRangeNs {
  const range = { startNs: start ?? 0n, endNs: end ?? BigInt(nowMs) * NS_PER_MS };
  if (range.startNs < range.endNs) return range;
  throw new InvalidInputError("start must be before end");
}

export type LogSelector = {
  readonly matchers: readonly Matcher[];
  readonly line: readonly LineFilter[];
  readonly attributes: readonly Matcher[];
};

/**
 * A LogQL query as far as it can say which records to delete: stream matchers, line filters, and label filters with `=`,
 * `!=`, `=~` and `!~`, which are about attributes. Throws `ParseError` or `InvalidInputError`.
 */
export function parseLogSelector(text: string, maxQueryBytes: number): LogSelector {
  const expr = parseLogql(text, maxQueryBytes);
  if (expr.kind !== "log") throw new InvalidInputError("a deletion needs a selector of log lines, not of samples");
  const line: LineFilter[] = [];
  const attributes: Matcher[] = [];
  for (const stage of expr.stages) {
    if (stage.kind === "line-filter" && stage.operands.length === 1 && !stage.operands[0].isIp) {
      const { op } = stage;
      if (op === "|>" || op === "!>") throw notSupported(op);
      line.push({ op, text: stage.operands[0].text });
    } else if (stage.kind === "label-filter" && stage.filter.kind === "matcher") attributes.push(stage.filter.matcher);
    else throw notSupported(stage.kind);
  }
  return { matchers: expr.matchers, line, attributes };
}

function notSupported(what: string): InvalidInputError {
  return new InvalidInputError(
    `${what} can't say what to delete: use stream matchers, |= != |~ !~ with one text, and filters of attributes with = != =~ !~`,
  );
}
