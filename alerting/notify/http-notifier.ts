import { NotificationTemplateError } from "../templates/notification-templates.ts";
import { failed } from "./answer-check.ts";
import { Attempt } from "./attempt.ts";
import type { HttpConfig } from "./http/http-config.ts";
import { HttpSender, SendError } from "./http/http-sender.ts";
import { RefusedTargetError } from "./http/target-guard.ts";
import type { NotifierContext } from "./integration.ts";
import type { Notification, Notifier, NotifyResult } from "./notifier.ts";
import { ReceiverSecrets, UnreadableFileError } from "./receiver-secrets.ts";

export type AttemptRunner = (attempt: Attempt) => Promise<NotifyResult>;

export type TemplatedNotifierOptions = {
  readonly kind: string;
  readonly sendsResolved: boolean;
  readonly context: NotifierContext;
  readonly secrets: ReceiverSecrets;
  readonly run: AttemptRunner;
  readonly check?: () => Promise<void>;
  readonly close?: () => Promise<void>;
};

/** A notification that was too long as a whole is made of so many alerts. */
const FEW_ALERTS = 50;

/** An attempt is built from templates and sent; what goes wrong is told as a result, without secrets. */
export class TemplatedNotifier implements Notifier {
  readonly kind: string;
  readonly sendsResolved: boolean;
  readonly #options: TemplatedNotifierOptions;
  /** So many alerts made a text too long: it is not tried again with as many. */
  #tooManyAlerts = Infinity;

  constructor(options: TemplatedNotifierOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.sendsResolved = options.sendsResolved;
  }

  async notify(notification: Notification, signal: AbortSignal): Promise<NotifyResult> {
    signal.throwIfAborted();
    const { secrets } = this.#options;
    let result: NotifyResult;
    try {
      result = await this.#attempt(notification, signal);
    } catch (error) {
      signal.throwIfAborted();
      result = this.#failure(error);
    }
    return { ...result, detail: secrets.redact(result.detail) };
  }

  async check(): Promise<void> {
    await this.#options.check?.();
  }

  async close(): Promise<void> {
    await this.#options.close?.();
  }

  /** A page about some of the alerts is better than none about all of them, and one without its templates better than none. */
  async #attempt(notification: Notification, signal: AbortSignal): Promise<NotifyResult> {
    const count = notification.alerts.length;
    const all =
      count < this.#tooManyAlerts ? await this.#unlessTooMuch(() => this.#run(notification, signal)) : undefined;
    if (all) return all;
    this.#options.context.metrics.reduced.inc({ integration: this.kind });
    const limits = "alerting.notify.max_template_chars, max_template_steps, max_template_ms";
    const few = { ...notification, alerts: notification.alerts.slice(0, FEW_ALERTS) };
    if (count > FEW_ALERTS) {
      this.#tooManyAlerts = Math.min(this.#tooManyAlerts, count);
      const result = await this.#unlessTooMuch(() => this.#run(few, signal));
      if (result)
        return { ...result, detail: `${result.detail}; made of ${FEW_ALERTS} of ${count} alerts (${limits})` };
    }
    const result = await this.#run(few, signal, true);
    return { ...result, detail: `${result.detail}; without templates, which take too much (${limits})` };
  }

  /** Undefined when templates take more than they may. */
  async #unlessTooMuch(run: () => Promise<NotifyResult>): Promise<NotifyResult | undefined> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof NotificationTemplateError && error.isLimit) return undefined;
      throw error;
    }
  }

  #run(notification: Notification, signal: AbortSignal, isPlain = false): Promise<NotifyResult> {
    const { kind, context, secrets, run } = this.#options;
    return run(new Attempt({ kind, notification, context, secrets, signal, isPlain }));
  }

  #failure(error: unknown): NotifyResult {
    if (error instanceof NotificationTemplateError || error instanceof UnreadableFileError)
      return failed(error.message);
    if (!(error instanceof SendError)) throw error;
    if (error.cause instanceof RefusedTargetError)
      this.#options.context.metrics.refused.inc({ integration: this.kind });
    return failed(error.message, error.retry);
  }
}

/** A notifier that sends by HTTP as `http_config` says. */
export function httpNotifier(
  kind: string,
  config: { readonly send_resolved: boolean },
  http: HttpConfig,
  context: NotifierContext,
  run: (attempt: Attempt, sender: HttpSender) => Promise<NotifyResult>,
): Notifier {
  const secrets = new ReceiverSecrets(context.configDir);
  const sender = new HttpSender({
    config: http,
    guard: context.guard,
    secrets,
    maxResponseBytes: context.config.max_response_bytes,
    timeoutMs: context.config.request_timeout_ms,
  });
  return new TemplatedNotifier({
    kind,
    sendsResolved: config.send_resolved,
    context,
    secrets,
    run: (attempt) => run(attempt, sender),
    check: () => sender.check(),
    close: () => sender.close(),
  });
}
