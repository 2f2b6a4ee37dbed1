import type { HttpAnswer } from "./http/exchange.ts";
import type { NotifyResult } from "./notifier.ts";

const MAX_DETAIL = 1_000;
/** Longer waits are the dispatcher's to choose. */
const MAX_RETRY_AFTER_MS = 3_600_000;

export type AnswerRule = {
  /** Statuses beside 5xx that another attempt may change. */
  readonly retryStatuses?: readonly number[];
  /** A 429 that says when to come back is tried again; Alertmanager gives up. */
  readonly waitsWhenAsked?: boolean;
  /** What of the answer is worth telling. */
  readonly detail?: (answer: HttpAnswer) => string;
};

/** As Alertmanager's Retrier: 2xx is a success, 5xx and the rule's statuses are tried again, others are not. */
export function checkAnswer(answer: HttpAnswer, rule: AnswerRule = {}, nowMs: number = Date.now()): NotifyResult {
  const { status } = answer;
  if (status >= 200 && status < 300) return { ok: true, detail: `status ${status}` };
  const isAskedToWait = Boolean(rule.waitsWhenAsked) && status === 429 && retryAfterMs(answer, nowMs) !== undefined;
  const retry = (status >= 500 && status < 600) || (rule.retryStatuses ?? []).includes(status) || isAskedToWait;
  const detail = (rule.detail ? rule.detail(answer) : answer.body).slice(0, MAX_DETAIL);
  const retryAfter = retry ? retryAfterMs(answer, nowMs) : undefined;
  return {
    ok: false,
    retry,
    detail: `unexpected status code ${status}${detail === "" ? "" : `: ${detail}`}`,
    ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }),
  };
}

/** The header `retry-after`, in seconds or as a date. */
export function retryAfterMs({ headers }: HttpAnswer, nowMs: number): number | undefined {
  const value = headers["retry-after"];
  if (typeof value !== "string") return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined;
}

export function failed(detail: string, retry = false): NotifyResult {
  return { ok: false, retry, detail: detail.slice(0, MAX_DETAIL) };
}

/** The answer as JSON, or undefined when it is none. */
export function jsonOf(answer: HttpAnswer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(answer.body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
