import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@sightline/model/logger.ts";
import type { Notification, NotifyResult } from "../../notify/notifier.ts";
import type { AlertmanagerMetrics } from "../alertmanager-metrics.ts";
import type { DecisionSink } from "../history/decision.ts";
import { backoffMs } from "./backoff.ts";
import type { Integration } from "./integration.ts";
import type { Slots } from "./slots.ts";

export type DeliverDeps = {
  readonly slots: Slots;
  readonly metrics: AlertmanagerMetrics;
  readonly decisions: DecisionSink;
  readonly logger: Logger;
};

/** Longer than any failure that says something. */
const MAX_DETAIL_LENGTH = 2_000;

/**
 * Sends until it succeeds, it can't, or `signal` aborts, with growing pauses (notify.RetryStage). Gives what happened last;
 * never throws.
 */
export async function deliver(
  deps: DeliverDeps,
  integration: Integration,
  notification: Notification,
  signal: AbortSignal,
): Promise<NotifyResult> {
  const { metrics, logger } = deps;
  const { kind } = integration.notifier;
  metrics.notificationStarted(kind);
  let last: NotifyResult = { ok: false, retry: true, detail: "no time was left for an attempt" };
  for (let attempt = 1; !signal.aborted; attempt++) {
    const result = await attemptOnce(deps, integration, notification, attempt, signal);
    if (result === undefined) break;
    last = result;
    if (last.ok) return last;
    if (!last.retry) break;
    if (attempt === 1)
      logger.warn("a notification failed, and is tried again", describe(integration, notification, last));
    const waitMs = Math.max(backoffMs(attempt, Math.random()), last.retryAfterMs ?? 0);
    await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
  }
  metrics.notificationFailed(kind, signal.aborted ? "contextDeadlineExceeded" : "other");
  logger.error("a notification was given up", describe(integration, notification, last));
  return last;
}

/** Undefined when there was no time for it. */
async function attemptOnce(
  { slots, metrics, decisions }: DeliverDeps,
  { receiver, name, notifier }: Integration,
  notification: Notification,
  attempt: number,
  signal: AbortSignal,
): Promise<NotifyResult | undefined> {
  let began = 0;
  let result: NotifyResult;
  try {
    result = await slots.use(signal, () => {
      began = performance.now();
      return notifier.notify(notification, signal);
    });
  } catch (error) {
    if (signal.aborted && began === 0) return undefined;
    // A notifier throws only when it is told to stop; anything else is a bug in it, which must not end the others.
    result = { ok: false, retry: signal.aborted, detail: (error as Error).message };
  }
  const ms = performance.now() - began;
  metrics.attempted(notifier.kind, result.ok, ms / 1_000);
  decisions.record({
    atMs: Date.now(),
    kind: "attempt",
    groupKey: notification.groupKey,
    receiver,
    integration: name,
    detail: { attempt, ok: result.ok, answer: result.detail.slice(0, MAX_DETAIL_LENGTH), ms: Math.round(ms) },
  });
  return result;
}

function describe({ receiver, name }: Integration, { groupKey }: Notification, result: NotifyResult) {
  return { receiver, integration: name, groupKey, detail: result.detail.slice(0, MAX_DETAIL_LENGTH) };
}
