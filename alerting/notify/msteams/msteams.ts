import { z } from "zod";
import { checkAnswer } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { flag, oneWebhookUrl, optionalSecretUrl, optionalText, text } from "../receiver-values.ts";

/** An entry of `msteams_configs`. */
const msteamsConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    webhook_url: optionalSecretUrl,
    webhook_url_file: optionalText,
    title: text('{{ template "msteams.default.title" . }}'),
    summary: text('{{ template "msteams.default.summary" . }}'),
    text: text('{{ template "msteams.default.text" . }}'),
  })
  .superRefine(oneWebhookUrl);
type MsteamsConfig = z.output<typeof msteamsConfig>;

const COLORS = { firing: "8C1A1A", resolved: "2DC72D" };

/** Posts a message card to a connector of Microsoft Teams: the old way; `msteamsv2` is for workflows. */
export const msteams = httpIntegration<MsteamsConfig>({
  kind: "msteams",
  schema: msteamsConfig,
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

async function send(config: MsteamsConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const card = {
    "@context": "http://schema.org/extensions",
    type: "MessageCard",
    title: attempt.text(config.title),
    summary: attempt.text(config.summary),
    text: attempt.text(config.text),
    themeColor: COLORS[attempt.data.status],
  };
  const url = await attempt.secrets.reveal(config.webhook_url, config.webhook_url_file);
  const answer = await sender.send(jsonRequest(url, card), attempt.signal);
  return checkAnswer(answer, { waitsWhenAsked: true });
}
