import { InvalidInputError } from "@sightline/model/errors.ts";
import type { LabelMap } from "../../alert.ts";
import { fingerprint } from "../fingerprint.ts";
import { labelMap } from "../labels.ts";
import { goQuote } from "../matchers/go-quote.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import type { KnownAlert } from "./known-alert.ts";

/** An alert as somebody posts it; times that are missing are undefined. */
export type IncomingAlert = {
  readonly labels: LabelMap;
  readonly annotations: LabelMap;
  readonly startsAtMs?: number | undefined;
  readonly endsAtMs?: number | undefined;
  readonly generatorUrl: string;
};

/** Longer than what the largest annotations hold; an alert lives in memory. */
const MAX_ALERT_LENGTH = 256 * 1024;

/** Fills in what is missing (api/v2, postAlerts). Throws `InvalidInputError` in Alertmanager's words. */
export function acceptAlert(
  incoming: IncomingAlert,
  options: { readonly nowMs: number; readonly resolveTimeoutMs: number; readonly syntax: MatcherSyntax },
): KnownAlert {
  const { nowMs, resolveTimeoutMs, syntax } = options;
  const startsAtMs = incoming.startsAtMs ?? incoming.endsAtMs ?? nowMs;
  const isTimeout = incoming.endsAtMs === undefined;
  const endsAtMs = incoming.endsAtMs ?? nowMs + resolveTimeoutMs;
  const labels = labelMap(incoming.labels);
  // Annotations may be empty: that something is not said is said, too.
  const annotations: Record<string, string> = Object.create(null);
  Object.assign(annotations, incoming.annotations);
  if (endsAtMs < startsAtMs) throw new InvalidInputError("start time must be before end time");
  assertLabels(labels, syntax, "invalid label set");
  if (Object.keys(labels).length === 0) throw new InvalidInputError("at least one label pair required");
  assertLabels(annotations, syntax, "invalid annotations");
  const { generatorUrl } = incoming;
  if (lengthOf(labels) + lengthOf(annotations) + generatorUrl.length > MAX_ALERT_LENGTH) {
    throw new InvalidInputError(`the alert is longer than ${MAX_ALERT_LENGTH} characters`);
  }
  return {
    labels,
    annotations,
    startsAtMs,
    endsAtMs,
    updatedAtMs: nowMs,
    generatorUrl,
    isTimeout,
    fingerprint: fingerprint(labels),
  };
}

function assertLabels(labels: LabelMap, syntax: MatcherSyntax, what: string): void {
  for (const [name, value] of Object.entries(labels)) {
    if (!syntax.isLabelName(name)) throw new InvalidInputError(`${what}: invalid name ${goQuote(name)}`);
    if (!value.isWellFormed()) throw new InvalidInputError(`${what}: invalid value ${goQuote(value)}`);
  }
}

function lengthOf(labels: LabelMap): number {
  let length = 0;
  for (const [name, value] of Object.entries(labels)) length += name.length + value.length;
  return length;
}
