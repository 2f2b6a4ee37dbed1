import { InvalidInputError } from "@sightline/model/errors.ts";
import type { MatchOperator } from "@sightline/model/matcher.ts";
import { goQuote } from "../matchers/go-quote.ts";
import { labelMatcher } from "../matchers/label-matcher.ts";
import type { MatcherSyntax } from "../matchers/matcher-syntax.ts";

export type SilenceMatcher = { readonly name: string; readonly op: MatchOperator; readonly value: string };

/** Holds back what all matchers match, from its start to its end. */
export type Silence = {
  readonly id: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly updatedAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
  readonly annotations: Readonly<Record<string, string>>;
};

export type SilenceState = "active" | "pending" | "expired";

export function silenceState(silence: Pick<Silence, "startsAtMs" | "endsAtMs">, nowMs: number): SilenceState {
  if (nowMs < silence.startsAtMs) return "pending";
  return nowMs > silence.endsAtMs ? "expired" : "active";
}

/** Throws `InvalidInputError` in Alertmanager's words (silence.validateSilence). */
export function assertSilence(silence: Silence, syntax: MatcherSyntax): void {
  const refuse = (message: string) => new InvalidInputError(`invalid silence: ${message}`);
  if (silence.matchers.length === 0) throw refuse("matcher set 0 is empty");
  let matchesNothing = true;
  for (const [i, { name, op, value }] of silence.matchers.entries()) {
    const where = `invalid label matcher ${i} in set 0: `;
    if (!syntax.isLabelName(name)) throw refuse(`${where}invalid label name ${goQuote(name)}`);
    try {
      const matchesEmpty = labelMatcher(name, op, value).matches("");
      matchesNothing &&= (op === "=" || op === "=~") && matchesEmpty;
    } catch (cause) {
      const message = `${where}${((cause as Error).cause as Error).message}`;
      throw new InvalidInputError(`invalid silence: ${message}`, { cause });
    }
  }
  if (matchesNothing) throw refuse("matcher set 0: at least one matcher must not match the empty string");
  if (silence.endsAtMs < silence.startsAtMs) throw refuse("end time must not be before start time");
}

/** It stays the same silence with what is changed; otherwise it ends, and another one begins (silence.canUpdate). */
export function canUpdate(known: Silence, next: Silence, nowMs: number): boolean {
  if (!isDeepEqual(known.matchers, next.matchers)) return false;
  const state = silenceState(known, nowMs);
  if (state === "expired") return false;
  if (state === "pending") return next.startsAtMs >= nowMs;
  const second = (ms: number) => Math.floor(ms / 1_000);
  return second(known.startsAtMs) === second(next.startsAtMs) && next.endsAtMs >= nowMs;
}

function isDeepEqual(a: readonly SilenceMatcher[], b: readonly SilenceMatcher[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, op, value }, i) => name === b[i]?.name && op === b[i]?.op && value === b[i]?.value)
  );
}

const STATE_ORDER: Readonly<Record<SilenceState, number>> = { active: 1, pending: 2, expired: 3 };

/** Active ones first, the next to end before others; then pending ones; then those that are over, the last to end first. */
export function compareSilences(a: Silence, b: Silence, nowMs: number): number {
  const [stateA, stateB] = [silenceState(a, nowMs), silenceState(b, nowMs)];
  if (stateA !== stateB) return STATE_ORDER[stateA] - STATE_ORDER[stateB];
  if (stateA === "active") return a.endsAtMs - b.endsAtMs;
  return stateA === "pending" ? a.startsAtMs - b.startsAtMs : b.endsAtMs - a.endsAtMs;
}
