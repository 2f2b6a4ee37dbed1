import { goJson, webhookJson } from "../../templates/go-json.ts";
import { checkAnswer, failed } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { renderDeep } from "../payload.ts";
import { rendered } from "../rendered.ts";
import { type WebhookConfig, webhookConfig } from "./webhook-config.ts";

/** Posts the group as JSON, in version 4 of Alertmanager's format, or what `payload` says. */
export const webhook = httpIntegration<WebhookConfig>({
  kind: "webhook",
  schema: webhookConfig,
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

async function send(config: WebhookConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const kept = config.max_alerts === 0 ? attempt : attempt.withAlerts(config.max_alerts);
  const left = attempt.notification.alerts.length - kept.notification.alerts.length;
  const body =
    config.payload === undefined
      ? await groupJson(kept, "4", left)
      : goJson(renderDeep(config.payload, (template) => kept.text(template)));
  const url = await targetUrl(config, kept);
  if (url === "") return failed("webhook URL is empty after templating");
  const request = { url, headers: { "content-type": "application/json" }, body: `${body}\n` };
  return checkAnswer(await sender.send(request, attempt.signal, config.timeout));
}

/** The body that webhooks have by default. With `maxAlerts`, so many of the alerts are shown, and the rest is as it was. */
export function groupJson(
  attempt: Attempt,
  version: string,
  truncatedAlerts: number,
  maxAlerts?: number,
): Promise<string> {
  const { groupKey } = attempt.notification;
  return webhookJson(attempt.data, { version, groupKey, truncatedAlerts }, maxAlerts);
}

async function targetUrl(config: WebhookConfig, attempt: Attempt): Promise<string> {
  const template = await attempt.secrets.reveal(config.url, config.url_file);
  const url = rendered("failed to template webhook URL", () => attempt.text(template));
  attempt.secrets.remember(url);
  return url;
}
