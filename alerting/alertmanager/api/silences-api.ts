import { InvalidInputError } from "@sightline/model/errors.ts";
import type { MatchOperator } from "@sightline/model/matcher.ts";
import type { Alertmanager } from "../alertmanager.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { compareSilences, type Silence, type SilenceMatcher, silenceState } from "../silences/silence.ts";
import { type QueryParameters, readFlag, readMatchers } from "./alert-filter.ts";
import { formatDateTime } from "./date-time.ts";
import { jsonArray } from "./json-array.ts";
import { parseJsonBody } from "./json-body.ts";
import { jsonKind, RequestProblem } from "./request-problem.ts";
import { readLabels, readText, readTime, type ValueName, wrongType } from "./request-values.ts";

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
    ...(Object.keys(silence.annotations).length > 0 && { annotations: silence.annotations }),
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

const NOT_A_SILENCE = 'Go value of type struct { ID string "json:\\"id,omitempty\\"" }';

/** The body of POST /api/v2/silences. Throws {@link RequestProblem} or `InvalidInputError`. */
export function readPostedSilence(body: Buffer, nowMs: number): Omit<Silence, "updatedAtMs"> {
  const value = parseJsonBody("silence", body);
  if (value === undefined) throw RequestProblem.missing("silence in body");
  if (typeof value !== "object" || Array.isArray(value)) {
    throw RequestProblem.unreadable("silence", `json: cannot unmarshal ${jsonKind(value)} into ${NOT_A_SILENCE}`);
  }
  const fields = (value ?? {}) as Record<string, unknown>;
  const of = (field: string) => ({ what: "silence", field });
  const id = readText(fields.id, of(".id")) ?? "";
  const annotations = readLabels(fields.annotations, of("Silence.annotations"));
  const comment = readText(fields.comment, of("Silence.comment"));
  const createdBy = readText(fields.createdBy, of("Silence.createdBy"));
  const endsAt = readTime(fields.endsAt, of("Silence.endsAt"));
  const startsAt = readTime(fields.startsAt, of("Silence.startsAt"));
  const matchers = readMatcherList(fields.matchers);
  const isMissing = (field: string) => fields[field] === undefined || fields[field] === null;
  for (const field of ["comment", "createdBy", "endsAt", "matchers", "startsAt"]) {
    if (isMissing(field)) throw RequestProblem.missing(`${field} in body`);
    if (field === "matchers") assertMatchers(matchers);
  }
  // A start that is Go's zero time means now.
  const [startsAtMs, endsAtMs] = [startsAt ?? nowMs, endsAt ?? 0];
  if (startsAtMs >= endsAtMs) {
    throw new InvalidInputError("Failed to create silence: start time must be before end time");
  }
  if (endsAtMs < nowMs) throw new InvalidInputError("Failed to create silence: end time can't be in the past");
  return {
    id,
    matchers: matchers.map(silenceMatcher),
    startsAtMs,
    endsAtMs,
    createdBy: createdBy ?? "",
    comment: comment ?? "",
    annotations,
  };
}

type PostedMatcher = {
  readonly name: string | undefined;
  readonly value: string | undefined;
  readonly isRegex: boolean | undefined;
  readonly isEqual: boolean | undefined;
};

function readMatcherList(value: unknown): readonly PostedMatcher[] {
  if (value === undefined || value === null) return [];
  const named = (field: string) => ({ what: "silence", field });
  if (!Array.isArray(value)) throw wrongType(value, named("Silence.matchers"), "models.Matchers");
  return value.map((item: unknown) => {
    // Alertmanager breaks the connection when one is null.
    if (typeof item !== "object" || Array.isArray(item) || item === null) {
      throw wrongType(item, named("Silence.matchers"), "models.Matcher");
    }
    const { name, value: text, isRegex, isEqual } = item as Record<string, unknown>;
    return {
      name: readText(name, named("Matcher.matchers.name")),
      value: readText(text, named("Matcher.matchers.value")),
      isRegex: readBoolean(isRegex, named("Matcher.matchers.isRegex")),
      isEqual: readBoolean(isEqual, named("Matcher.matchers.isEqual")),
    };
  });
}

function readBoolean(value: unknown, name: ValueName): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return value;
  throw wrongType(value, name, "bool");
}

function assertMatchers(matchers: readonly PostedMatcher[]): void {
  if (matchers.length === 0) throw RequestProblem.tooFew("matchers in body");
  for (const [i, matcher] of matchers.entries()) {
    for (const field of ["isRegex", "name", "value"] as const) {
      if (matcher[field] === undefined) throw RequestProblem.missing(`matchers.${i}.${field} in body`);
    }
  }
}

function silenceMatcher({ name = "", value = "", isRegex, isEqual = true }: PostedMatcher): SilenceMatcher {
  const op: MatchOperator = isEqual ? (isRegex ? "=~" : "=") : isRegex ? "!~" : "!=";
  return { name, op, value };
}
