import { z } from "zod";
import { checkAnswer } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import { httpConfig } from "../http/http-config.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { atMostOne, flag, goDurationMs, optionalSecret, optionalText, text } from "../receiver-values.ts";

/** An entry of `pushover_configs`. */
const pushoverConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    user_key: optionalSecret,
    user_key_file: optionalText,
    token: optionalSecret,
    token_file: optionalText,
    title: text('{{ template "pushover.default.title" . }}'),
    message: text('{{ template "pushover.default.message" . }}'),
    url: text('{{ template "pushover.default.url" . }}'),
    url_title: text(),
    device: text(),
    sound: text(),
    priority: text('{{ if eq .Status "firing" }}2{{ else }}0{{ end }}'),
    retry: goDurationMs(60_000),
    expire: goDurationMs(3_600_000),
    ttl: goDurationMs(),
    html: flag(),
    monospace: flag(),
  })
  .superRefine((config, context) => {
    const refuse = (message: string) => context.addIssue({ code: "custom", message });
    if (!config.user_key && !config.user_key_file) refuse("one of user_key or user_key_file must be configured");
    atMostOne(context, config, "user_key", "user_key_file");
    if (!config.token && !config.token_file) refuse("one of token or token_file must be configured");
    atMostOne(context, config, "token", "token_file");
    if (config.html && config.monospace) refuse("at most one of monospace & html must be configured");
  });
type PushoverConfig = z.output<typeof pushoverConfig>;

/** https://pushover.net/api#limits */
const LIMITS = { title: 250, message: 1024, url: 512 };
const API = "https://api.pushover.net/1/messages.json";

/** Where messages go. It has no setting in Alertmanager; tests have another. */
export function pushoverIntegration(apiUrl: string = API) {
  return httpIntegration<PushoverConfig>({
    kind: "pushover",
    schema: pushoverConfig,
    sending: (config) => (attempt, sender) => send(config, apiUrl, attempt, sender),
  });
}

/** Pushes a message to devices by Pushover. */
export const pushover = pushoverIntegration();

async function send(
  config: PushoverConfig,
  apiUrl: string,
  attempt: Attempt,
  sender: HttpSender,
): Promise<NotifyResult> {
  const token = attempt.text(await attempt.secrets.reveal(config.token, config.token_file));
  const user = attempt.text(await attempt.secrets.reveal(config.user_key, config.user_key_file));
  attempt.secrets.remember(token);
  attempt.secrets.remember(user);
  const cut = (field: keyof typeof LIMITS, rendered: string) => attempt.cut(field, rendered, LIMITS[field]);
  const message = cut("message", config.html ? attempt.html(config.message) : attempt.text(config.message)).trim();
  const parameters = new URLSearchParams({
    token,
    user,
    title: cut("title", attempt.text(config.title)),
    // Pushover refuses messages without a text.
    message: message || "(no details)",
    url: cut("url", attempt.text(config.url)),
    url_title: attempt.text(config.url_title),
    priority: attempt.text(config.priority),
    retry: seconds(config.retry),
    expire: seconds(config.expire),
    device: attempt.text(config.device),
    sound: attempt.text(config.sound),
    ...(config.html ? { html: "1" } : {}),
    ...(config.monospace ? { monospace: "1" } : {}),
    ...(config.ttl >= 1000 ? { ttl: seconds(config.ttl) } : {}),
  });
  parameters.sort();
  const request = { url: `${apiUrl}?${parameters}`, headers: { "content-type": "text/plain" } };
  return checkAnswer(await sender.send(request, attempt.signal), { waitsWhenAsked: true });
}

function seconds(ms: number): string {
  return String(Math.trunc(ms / 1000));
}
