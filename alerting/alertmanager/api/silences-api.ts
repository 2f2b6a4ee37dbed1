import { InvalidInputError } from "@sightline/model/errors.ts";
import type { MatchOperator } from "@sightline/model/matcher.ts";
import type { Alertmanager } from "../alertmanager.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { compareSilences, type Silence, type SilenceMatcher, silenceState } from "../silences/silence.ts";
import { type QueryParameters, readFlag, readMatchers } from "./alert-filter.ts";
import { readLabels, readTime } from "./alerts-api.ts";
import { formatDateTime } from "./date-time.ts";
import { jsonArray } from "./json-array.ts";

/** GET /api/v2/silences. Throws `InvalidInputError`. */
export function getSilences({ silences }: Alertmanager, parameters: QueryParameters, syntax: MatcherSyntax) {
  const wanted = readMatchers(parameters, "filter", syntax);
  const nowMs = Date.now();
  const states = new Set(["active", "pending", "expired"].filter((state) => readFlag(parameters, state)));
  const found = silences.all
    .filter((silence) => states.has(silenceState(silence, nowMs)))
    // Not those that would match, but those that say just that.
    .filter(({ matchers }) =>
      wanted.every((want) =>
        matchers.some(({ name, op, value }) => name === want.name && op === want.op && value === want.value),
      ),
    )
    .sort((a, b) => compareSilences(a, b, nowMs));
  return jsonArray(found, (silence) => gettableSilence(silence, nowMs));
}

/** openapi.yaml: gettableSilence. */
export function gettableSilence(silence: Silence, nowMs: number): unknown {
  return {
    id: silence.id,
    status: { state: silenceState(silence, nowMs) },
    updatedAt: formatDateTime(silence.updatedAtMs),
    annotations: silence.annotations,
    comment: silence.comment,
    createdBy: silence.createdBy,
    endsAt: formatDateTime(silence.endsAtMs),
    matchers: silence.matchers.map(({ name, op, value }) => ({
      isEqual: op === "=" || op === "=~",
      isRegex: op === "=~" || op === "!~",
      name,
      value,
    })),
    startsAt: formatDateTime(silence.startsAtMs),
  };
}

/** The body of POST /api/v2/silences. Throws `InvalidInputError`. */
export function readPostedSilence(body: unknown, nowMs: number): Omit<Silence, "updatedAtMs"> {
  if (typeof body !== "object" || body === null) throw new InvalidInputError("silence in body must be of type object");
  const fields = body as Record<string, unknown>;
  const text = (name: string, isRequired: boolean) => {
    const value = fields[name];
    if (typeof value === "string") return value;
    if (value !== undefined && value !== null) throw new InvalidInputError(`silence.${name} must be of type string`);
    if (isRequired) throw new InvalidInputError(`silence.${name} in body is required`);
    return "";
  };
  for (const name of ["startsAt", "endsAt"]) {
    if (fields[name] === undefined) throw new InvalidInputError(`silence.${name} in body is required`);
  }
  const { matchers } = fields;
  if (!Array.isArray(matchers)) throw new InvalidInputError("silence.matchers in body is required");
  if (matchers.length === 0) {
    throw new InvalidInputError("silence.matchers in body should have at least 1 items");
  }
  // A start that is Go's zero time means now.
  const startsAtMs = readTime(fields.startsAt, "silence.startsAt") ?? nowMs;
  const endsAtMs = readTime(fields.endsAt, "silence.endsAt") ?? 0;
  if (startsAtMs >= endsAtMs) {
    throw new InvalidInputError("Failed to create silence: start time must be before end time");
  }
  if (endsAtMs < nowMs) throw new InvalidInputError("Failed to create silence: end time can't be in the past");
  return {
    id: text("id", false),
    matchers: matchers.map(readMatcher),
    startsAtMs,
    endsAtMs,
    createdBy: text("createdBy", true),
    comment: text("comment", true),
    annotations: readLabels(fields.annotations, "silence.annotations", false),
  };
}

function readMatcher(value: unknown, i: number): SilenceMatcher {
  const where = `silence.matchers.${i}`;
  if (typeof value !== "object" || value === null) throw new InvalidInputError(`${where} must be of type object`);
  const { name, value: text, isRegex, isEqual = true } = value as Record<string, unknown>;
  if (typeof name !== "string") throw new InvalidInputError(`${where}.name in body is required`);
  if (typeof text !== "string") throw new InvalidInputError(`${where}.value in body is required`);
  if (typeof isRegex !== "boolean") throw new InvalidInputError(`${where}.isRegex in body is required`);
  const op: MatchOperator = isEqual === false ? (isRegex ? "!~" : "!=") : isRegex ? "=~" : "=";
  return { name, op, value: text };
}
