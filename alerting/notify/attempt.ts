import { formatLabelMap } from "../alertmanager/labels.ts";
import { type NotificationData, notificationData } from "../templates/notification-data.ts";
import { NotificationTemplateError } from "../templates/notification-templates.ts";
import type { NotifierContext } from "./integration.ts";
import type { Notification } from "./notifier.ts";
import { type ReceiverSecrets, sha256Hex } from "./receiver-secrets.ts";
import { truncateBytes, truncateRunes } from "./truncate.ts";

export type AttemptOptions = {
  readonly kind: string;
  readonly notification: Notification;
  readonly context: NotifierContext;
  readonly secrets: ReceiverSecrets;
  readonly signal: AbortSignal;
  /** A text whose template would take too much is made without it. */
  readonly isPlain?: boolean;
};

/** Of a text that is made without its template. */
const MAX_PLAIN_LENGTH = 1_000;

/** What an integration builds one message with. */
export class Attempt {
  readonly notification: Notification;
  readonly secrets: ReceiverSecrets;
  readonly signal: AbortSignal;
  #data: NotificationData | undefined;
  readonly #options: AttemptOptions;

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.notification = options.notification;
    this.secrets = options.secrets;
    this.signal = options.signal;
  }

  /** The same for the first alerts only. */
  withAlerts(count: number): Attempt {
    const { notification } = this.#options;
    if (notification.alerts.length <= count) return this;
    const fewer = { ...notification, alerts: notification.alerts.slice(0, count) };
    return new Attempt({ ...this.#options, notification: fewer });
  }

  /** What templates and webhooks are given. */
  get data(): NotificationData {
    this.#data ??= notificationData({ ...this.notification, externalUrl: this.#options.context.externalUrl });
    return this.#data;
  }

  /** Names the group where others want a short key: SHA-256 of the group's key in hexadecimal digits. */
  get groupHash(): string {
    return sha256Hex(this.notification.groupKey);
  }

  get isResolved(): boolean {
    return this.data.status === "resolved";
  }

  /** Renders a template as text. Throws `NotificationTemplateError`. */
  text(template: string): string {
    const { templates } = this.#options.context;
    return this.#orPlain(() => templates.renderText(template, this.data, this.notification.nowMs));
  }

  /** Renders a template as HTML. Throws `NotificationTemplateError`. */
  html(template: string): string {
    const { templates } = this.#options.context;
    const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
    return this.#orPlain(() => templates.renderHtml(template, this.data, this.notification.nowMs), escaped);
  }

  #orPlain(render: () => string, escaped = (text: string) => text): string {
    try {
      return render();
    } catch (error) {
      const isTooMuch = error instanceof NotificationTemplateError && error.isLimit;
      if (!isTooMuch || !this.#options.isPlain) throw error;
      const { status, alerts, commonLabels } = this.data;
      const labels = formatLabelMap(commonLabels).slice(0, MAX_PLAIN_LENGTH);
      return escaped(`${status.toUpperCase()} ${labels}, ${alerts.length} alerts: ${error.message}`);
    }
  }

  /** Undefined for what is empty: fields that Go leaves out. */
  textOrNone(template: string | undefined): string | undefined {
    return this.text(template ?? "") || undefined;
  }

  /** Cuts to so many characters, and counts it. */
  cut(field: string, text: string, maxRunes: number): string {
    const cut = truncateRunes(text, maxRunes);
    if (cut.isCut) this.countCut(field);
    return cut.text;
  }

  cutBytes(field: string, text: string, maxBytes: number): string {
    const cut = truncateBytes(text, maxBytes);
    if (cut.isCut) this.countCut(field);
    return cut.text;
  }

  countCut(field: string): void {
    this.#options.context.metrics.truncated.inc({ integration: this.#options.kind, field });
  }

  warn(message: string): void {
    const { kind, context, notification } = this.#options;
    context.logger.warn(message, { integration: kind, receiver: notification.receiver });
  }
}
