import { parseGoDuration, parsePrometheusDuration } from "@sightline/model/go-duration.ts";
import { BUILTIN_FUNCTIONS } from "@sightline/model/go-template/builtin-functions.ts";
import { parseTemplate } from "@sightline/model/go-template/parse-template.ts";
import { z } from "zod";
import { NOTIFICATION_FUNCTIONS } from "../templates/notification-functions.ts";
import { Secret } from "./secret.ts";

/**
 * Values in receivers of an Alertmanager configuration, as Go's yaml.v2 reads them into fields of strings, booleans and
 * durations: a number may stand where a text is wanted, and a key without a value gives the empty text.
 */
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]).transform((value) => String(value ?? ""));

/** A text, most often a template. */
export function text(fallback = "") {
  return scalar.default(fallback);
}

/** Undefined when it is not there, or empty. */
export const optionalText = scalar.transform((value) => (value === "" ? undefined : value)).optional();

export const optionalSecret = scalar.transform((value) => (value === "" ? undefined : new Secret(value))).optional();

/** Words of YAML 1.1 that newer readers take for texts. */
const YES = /^(y|Y|yes|Yes|YES|on|On|ON)$/;
const NO = /^(n|N|no|No|NO|off|Off|OFF)$/;
const boolean = z.preprocess(
  (value) => (typeof value !== "string" ? value : YES.test(value) ? true : NO.test(value) ? false : value),
  z.boolean().nullable(),
);

export function flag(fallback = false) {
  return boolean.transform((value) => value ?? false).default(fallback);
}

export const optionalFlag = boolean.transform((value) => value ?? undefined).optional();

/** As Go reads a number with a fraction into a whole one. */
export const wholeNumber = z
  .number()
  .nullable()
  .transform((value) => Math.trunc(value ?? 0))
  .default(0);

/** A number of things; 0 stands for no limit. */
export const count = wholeNumber.pipe(z.number().min(0));

/** Why a text is no template, in Go's words; undefined when it is one. */
export function templateProblem(text: string): string | undefined {
  if (!text.includes("{{")) return undefined;
  try {
    parseTemplate({ name: "", text }, (name) => FUNCTIONS.has(name));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
const FUNCTIONS = new Set([...Object.keys(BUILTIN_FUNCTIONS), ...Object.keys(NOTIFICATION_FUNCTIONS)]);

/** Texts by name. */
export const texts = z
  .record(z.string(), scalar)
  .nullable()
  .transform((value) => value ?? {})
  .default({});

/** Anything that YAML can say, with templates in its texts. */
export const anything = z
  .unknown()
  .transform((value) => value ?? undefined)
  .optional();

export function listOf<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullable()
    .transform((value) => value ?? [])
    .default([]);
}

/** Why a text is no address that can be sent to, in the words of Alertmanager's ParseURL; undefined when it is one. */
export function urlProblem(address: string): string | undefined {
  const [, scheme = "", rest = ""] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/s.exec(address) ?? [];
  if (address.startsWith(":")) return `parse ${JSON.stringify(address)}: missing protocol scheme`;
  if (!/^https?$/i.test(scheme)) return `unsupported scheme ${JSON.stringify(scheme.toLowerCase())} for URL`;
  if (!/^\/\/[^/?#]/.test(rest)) return "missing host for URL";
  return URL.canParse(address) ? undefined : "invalid URL";
}

/** An address that may be shown; the empty text is none. */
export const optionalUrl = scalar
  .superRefine((value, context) => {
    const problem = urlProblem(value);
    if (problem) context.addIssue({ code: "custom", message: problem });
  })
  .nullish()
  .transform((value) => value ?? undefined);

/** An address that is a secret: whoever knows it may post. `<secret>` is taken, as a configuration shows it. */
export const optionalSecretUrl = scalar
  .superRefine((value, context) => {
    const problem = value === "<secret>" ? undefined : urlProblem(value);
    if (problem) context.addIssue({ code: "custom", message: problem });
  })
  .nullish()
  .transform((value) => (value === null || value === undefined ? undefined : new Secret(value)));

function durationOf(parse: typeof parseGoDuration) {
  return scalar.transform((value, context) => {
    const parsed = value === "" ? { ns: 0 } : parse(value);
    if ("ns" in parsed) return parsed.ns / 1e6;
    context.addIssue({ code: "custom", message: parsed.error });
    return z.NEVER;
  });
}

/** `1m30s` as Go's time.ParseDuration reads it; milliseconds. */
export function goDurationMs(fallbackMs = 0) {
  return durationOf(parseGoDuration).default(fallbackMs);
}

/** The same of a field of Go's own type of durations, where a bare number is one of nanoseconds. */
export const timeoutMs = z
  .preprocess((value) => (typeof value === "number" ? `${value}ns` : value), durationOf(parseGoDuration))
  .default(0);

/** `1d` as Prometheus' model.ParseDuration reads it; milliseconds. */
export function prometheusDurationMs(fallbackMs = 0) {
  return durationOf(parsePrometheusDuration).default(fallbackMs);
}

/** Says that two settings of which one reads a file exclude each other, in Alertmanager's words. */
export function atMostOne(context: z.RefinementCtx, config: object, a: string, b: string) {
  const given = config as Readonly<Record<string, unknown>>;
  if (given[a] === undefined || given[b] === undefined) return;
  context.addIssue({ code: "custom", message: `at most one of ${a} & ${b} must be configured` });
}

/** A refinement for entries whose `webhook_url` is here or in a file. */
export function oneWebhookUrl(
  config: { readonly webhook_url?: unknown; readonly webhook_url_file?: unknown },
  context: z.RefinementCtx,
): void {
  if (config.webhook_url === undefined && config.webhook_url_file === undefined)
    context.addIssue({ code: "custom", message: "one of webhook_url or webhook_url_file must be configured" });
  atMostOne(context, config, "webhook_url", "webhook_url_file");
}
