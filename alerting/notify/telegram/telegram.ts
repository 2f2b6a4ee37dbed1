import { InvalidInputError } from "@sightline/model/errors.ts";
import { z } from "zod";
import { failed, jsonOf } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { UnreadableFileError } from "../receiver-secrets.ts";
import { atMostOne, flag, optionalSecret, optionalText, optionalUrl, text, wholeNumber } from "../receiver-values.ts";

/** An entry of `telegram_configs`. */
const telegramConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    api_url: optionalUrl,
    bot_token: optionalSecret,
    bot_token_file: optionalText,
    chat_id: wholeNumber,
    chat_id_file: optionalText,
    message_thread_id: wholeNumber,
    message: text('{{ template "telegram.default.message" . }}'),
    disable_notifications: flag(),
    parse_mode: text("HTML"),
  })
  .superRefine((config, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    atMostOne(context, config, "bot_token", "bot_token_file");
    if (config.chat_id === 0 && !config.chat_id_file) refuse("missing chat_id or chat_id_file on telegram_config");
    if (config.chat_id !== 0 && config.chat_id_file) refuse("at most one of chat_id & chat_id_file must be configured");
    if (!["", "Markdown", "MarkdownV2", "HTML"].includes(config.parse_mode))
      refuse("unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty string");
  });
type TelegramConfig = z.output<typeof telegramConfig>;

const MAX_MESSAGE_RUNES = 4096;
const TOO_LONG =
  "This notification could not be sent as it is: the message is longer than Telegram allows. " +
  "Please check the template it is made with.";

/** Sends a message by a bot of Telegram. */
export const telegram = httpIntegration<TelegramConfig>({
  kind: "telegram",
  schema: telegramConfig,
  withGlobals: (config, global) => {
    const hasOwn = config.bot_token ?? config.bot_token_file;
    const bot_token = hasOwn ? config.bot_token : global.telegram_bot_token;
    const bot_token_file = hasOwn ? config.bot_token_file : global.telegram_bot_token_file;
    if (!bot_token && !bot_token_file)
      throw new InvalidInputError("missing bot_token or bot_token_file on telegram_config");
    return { ...config, bot_token, bot_token_file, api_url: config.api_url ?? global.telegram_api_url };
  },
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

async function send(config: TelegramConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const message = {
    chat_id: await chatId(config, attempt),
    disable_notification: config.disable_notifications ? "true" : undefined,
    disable_web_page_preview: "true",
    message_thread_id: config.message_thread_id === 0 ? undefined : String(config.message_thread_id),
    parse_mode: config.parse_mode || undefined,
    text: messageText(config, attempt),
  };
  const token = await attempt.secrets.reveal(config.bot_token, config.bot_token_file);
  const url = `${config.api_url}/bot${token}/sendMessage`;
  const answer = await sender.send(jsonRequest(url, message), attempt.signal);
  const said = jsonOf(answer);
  if (said?.ok === true) return { ok: true, detail: `status ${answer.status}` };
  const parameters = said?.parameters as { retry_after?: unknown } | undefined;
  const waitSeconds = Number(parameters?.retry_after ?? 0);
  const detail = said
    ? `telegram: ${String(said.description ?? "")} (${String(said.error_code ?? answer.status)})`
    : "";
  // Alertmanager tries again whatever Telegram says.
  const result = failed(detail || `unexpected status code ${answer.status}: ${answer.body}`, true);
  return waitSeconds > 0 && !result.ok ? { ...result, retryAfterMs: waitSeconds * 1000 } : result;
}

/** Text that is no HTML can be cut anywhere; half an element can't be sent. */
function messageText(config: TelegramConfig, attempt: Attempt): string {
  if (config.parse_mode !== "HTML") return attempt.cut("message", attempt.text(config.message), MAX_MESSAGE_RUNES);
  const html = attempt.html(config.message);
  if (html.length <= MAX_MESSAGE_RUNES || [...html].length <= MAX_MESSAGE_RUNES) return html;
  attempt.countCut("message");
  return TOO_LONG;
}

async function chatId(config: TelegramConfig, attempt: Attempt): Promise<string> {
  if (!config.chat_id_file) return String(config.chat_id);
  const read = (await attempt.secrets.readFile(config.chat_id_file)).trim();
  if (/^[+-]?\d+$/.test(read)) return String(BigInt(read));
  throw new UnreadableFileError(`could not parse chat_id from ${config.chat_id_file}`);
}
