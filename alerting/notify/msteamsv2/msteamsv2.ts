import { z } from "zod";
import { checkAnswer } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { flag, oneWebhookUrl, optionalSecretUrl, optionalText, text } from "../receiver-values.ts";

/** An entry of `msteamsv2_configs`. */
const msteamsv2Config = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    webhook_url: optionalSecretUrl,
    webhook_url_file: optionalText,
    title: text('{{ template "msteamsv2.default.title" . }}'),
    text: text('{{ template "msteamsv2.default.text" . }}'),
  })
  .superRefine(oneWebhookUrl);
type Msteamsv2Config = z.output<typeof msteamsv2Config>;

const COLORS = { firing: "Attention", resolved: "Good" };

/** Posts an adaptive card to a workflow of Microsoft Teams. */
export const msteamsv2 = httpIntegration<Msteamsv2Config>({
  kind: "msteamsv2",
  schema: msteamsv2Config,
  withGlobals: (config, global) => {
    // Of an entry's own http_config only the proxy is taken from the global one, where it has none.
    const proxyUrl = config.http_config?.proxy_url ?? global.http_config?.proxy_url;
    return config.http_config && proxyUrl && !config.http_config.proxy_from_environment
      ? { ...config, http_config: { ...config.http_config, proxy_url: proxyUrl } }
      : config;
  },
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

async function send(config: Msteamsv2Config, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const card = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.2",
    body: [
      {
        type: "TextBlock",
        text: attempt.text(config.title),
        weight: "Bolder",
        size: "Medium",
        wrap: true,
        style: "heading",
        color: COLORS[attempt.data.status],
      },
      { type: "TextBlock", text: attempt.text(config.text), wrap: true },
    ],
    msteams: { width: "full" },
  };
  const message = {
    type: "message",
    attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card }],
  };
  const url = await attempt.secrets.reveal(config.webhook_url, config.webhook_url_file);
  const answer = await sender.send(jsonRequest(url, message), attempt.signal);
  return checkAnswer(answer, { waitsWhenAsked: true });
}
