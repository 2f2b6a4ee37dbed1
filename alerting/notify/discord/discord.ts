import { z } from "zod";
import { checkAnswer } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { flag, oneWebhookUrl, optionalSecretUrl, optionalText, text } from "../receiver-values.ts";

/** An entry of `discord_configs`. */
const discordConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    webhook_url: optionalSecretUrl,
    webhook_url_file: optionalText,
    content: text(),
    title: text('{{ template "discord.default.title" . }}'),
    message: text('{{ template "discord.default.message" . }}'),
    username: text(),
    avatar_url: text(),
  })
  .superRefine(oneWebhookUrl);
type DiscordConfig = z.output<typeof discordConfig>;

/** https://discord.com/developers/docs/resources/message#embed-object-embed-limits */
const LIMITS = { title: 256, message: 4096, content: 2000 };
const COLORS = { firing: 0x992d22, resolved: 0x2ecc71 };

/** Posts an embed to a webhook of Discord. */
export const discord = httpIntegration<DiscordConfig>({
  kind: "discord",
  schema: discordConfig,
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

async function send(config: DiscordConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const cut = (field: keyof typeof LIMITS) => attempt.cut(field, attempt.text(config[field]), LIMITS[field]);
  const message = {
    content: cut("content"),
    embeds: [{ title: cut("title"), description: cut("message"), color: COLORS[attempt.data.status] }],
    username: config.username || undefined,
    avatar_url: URL.canParse(config.avatar_url) ? config.avatar_url : undefined,
  };
  const url = await attempt.secrets.reveal(config.webhook_url, config.webhook_url_file);
  const answer = await sender.send(jsonRequest(url, message), attempt.signal);
  return checkAnswer(answer, { waitsWhenAsked: true });
}
