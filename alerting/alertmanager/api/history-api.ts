import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Alertmanager } from "../alertmanager.ts";
import { acceptAlert } from "../alerts/incoming-alert.ts";
import { flappingMember } from "../flapping/told-alert.ts";
import type { Decision } from "../history/decision.ts";
import { decisionSentence } from "../history/decision-sentence.ts";
import { type Explanation, explainAlert } from "../history/explain.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import type { QueryParameters } from "./alert-filter.ts";
import { formatDateTime } from "./date-time.ts";
import { parseJsonBody } from "./json-body.ts";
import { readLabels, readTime } from "./request-values.ts";

const DEFAULT_LIMIT = 1_000;
const MAX_LIMIT = 10_000;
const FINGERPRINT = /^[0-9a-f]{16}$/;

/** The alert that a path names. Throws `InvalidInputError`. */
export function readFingerprint(text: string): string {
  if (FINGERPRINT.test(text)) return text;
  throw new InvalidInputError(`${JSON.stringify(text)} is no fingerprint of an alert: it has 16 hexadecimal digits`);
}

/** Parameters `since` (RFC 3339) and `limit`. Throws `InvalidInputError`. */
export function readHistoryRange(parameters: QueryParameters): { readonly sinceMs: number; readonly limit: number } {
  const since = parameters.get("since");
  const sinceMs = since === null ? 0 : Date.parse(since);
  if (Number.isNaN(sinceMs)) throw new InvalidInputError("parameter 'since' is no time; write it as in RFC 3339");
  const limit = Number(parameters.get("limit") ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new InvalidInputError(`parameter 'limit' must be a number from 1 to ${MAX_LIMIT}`);
  }
  return { sinceMs, limit };
}

/** Of a notification, only what it says about this alert. */
export function shownDecision(decision: Decision, fingerprint: string): unknown {
  const { atMs, kind, groupKey, receiver, integration, detail } = decision;
  const { firing, resolved, ...rest } = detail as { firing?: unknown; resolved?: unknown };
  const own = (list: unknown) =>
    Array.isArray(list) ? list.find((one) => one === fingerprint || flappingMember(one) === fingerprint) : undefined;
  const state = own(firing) ? (own(firing) === fingerprint ? "firing" : "flapping") : own(resolved) && "resolved";
  return {
    at: formatDateTime(atMs),
    decision: kind,
    said: decisionSentence(decision),
    groupKey,
    receiver,
    integration,
    ...(state && { state }),
    ...rest,
  };
}

/**
 * POST /api/alerts/explain: what would come of an alert with these labels, at a time (`at`, or now). Throws
 * `InvalidInputError`.
 */
export function explainHypothetical(alertmanager: Alertmanager, body: Buffer, syntax: MatcherSyntax): Explanation {
  const value = parseJsonBody("alert", body) ?? null;
  if (typeof value !== "object" || value === null)
    throw new InvalidInputError("the body must be an object with labels");
  const { labels, annotations, at, generatorURL } = value as Record<string, unknown>;
  const of = (field: string) => ({ what: "alert", field });
  const nowMs = readTime(at, of("at")) ?? Date.now();
  const incoming = {
    labels: readLabels(labels, of("labels")),
    annotations: readLabels(annotations, of("annotations")),
    generatorUrl: typeof generatorURL === "string" ? generatorURL : "",
  };
  const { resolveTimeoutMs } = alertmanager.config.global;
  const alert = acceptAlert(incoming, { nowMs, resolveTimeoutMs, syntax });
  const explanation = explainAlert(alertmanager, alert, nowMs);
  // Of an alert that does not exist nothing is remembered.
  if (!alertmanager.alerts.find(alert.fingerprint)) alertmanager.silences.forgetAlert(alert.fingerprint);
  return explanation;
}
