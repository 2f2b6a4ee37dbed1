import type { Integration } from "./integration.ts";
import type { Notification, Notifier, NotifyResult } from "./notifier.ts";
import type { NotifyMetrics } from "./notify-metrics.ts";

const MINUTE_MS = 60_000;

/** Puts off attempts beyond so many a minute: they are tried again when there is room. */
export class RateLimitedNotifier implements Notifier {
  readonly kind: string;
  readonly sendsResolved: boolean;
  readonly #notifier: Notifier;
  readonly #perMinute: number;
  readonly #metrics: NotifyMetrics;
  readonly #nowMs: () => number;
  #tokens: number;
  #filledAtMs: number;

  /** A minute's worth may come at once. */
  constructor(notifier: Notifier, perMinute: number, metrics: NotifyMetrics, nowMs: () => number = Date.now) {
    this.kind = notifier.kind;
    this.sendsResolved = notifier.sendsResolved;
    this.#notifier = notifier;
    this.#perMinute = perMinute;
    this.#metrics = metrics;
    this.#nowMs = nowMs;
    this.#tokens = perMinute;
    this.#filledAtMs = nowMs();
  }

  async notify(notification: Notification, signal: AbortSignal): Promise<NotifyResult> {
    const now = this.#nowMs();
    const perMs = this.#perMinute / MINUTE_MS;
    this.#tokens = Math.min(this.#perMinute, this.#tokens + Math.max(0, now - this.#filledAtMs) * perMs);
    this.#filledAtMs = now;
    if (this.#tokens < 1) {
      this.#metrics.delayed.inc({ integration: this.kind });
      const retryAfterMs = Math.ceil((1 - this.#tokens) / perMs);
      const detail = `put off: more than ${this.#perMinute} notifications a minute (alerting.notify.max_per_minute)`;
      return { ok: false, retry: true, detail, retryAfterMs };
    }
    this.#tokens--;
    return this.#notifier.notify(notification, signal);
  }

  async close(): Promise<void> {
    await this.#notifier.close?.();
  }
}

/** The integration with its notifiers limited where the settings say so. */
export function rateLimited<Config>(integration: Integration<Config>): Integration<Config> {
  return {
    ...integration,
    create: (config, context) => {
      const notifier = integration.create(config, context);
      const perMinute = context.config.max_per_minute[integration.kind];
      return perMinute === undefined ? notifier : new RateLimitedNotifier(notifier, perMinute, context.metrics);
    },
  };
}
