import { z } from "zod";
import { hostPortProblem } from "./email/email-config.ts";
import { DEFAULT_HTTP_CONFIG, httpConfig } from "./http/http-config.ts";
import { tlsConfig } from "./http/tls-config.ts";
import {
  atMostOne,
  flag,
  optionalFlag,
  optionalSecret,
  optionalSecretUrl,
  optionalText,
  optionalUrl,
  text,
} from "./receiver-values.ts";

/**
 * Keys of the `global` section that receivers fall back to, with Alertmanager's defaults. To be spread into the schema of
 * that section, together with {@link checkGlobalReceiverConfig} as its refinement.
 */
export const globalReceiverFields = {
  http_config: httpConfig.optional(),
  smtp_from: optionalText,
  smtp_hello: text("localhost"),
  smtp_smarthost: optionalText.superRefine((address, context) => {
    const problem = address && hostPortProblem(address);
    if (problem) context.addIssue({ code: "custom", message: problem });
  }),
  smtp_auth_username: optionalText,
  smtp_auth_password: optionalSecret,
  smtp_auth_password_file: optionalText,
  smtp_auth_secret: optionalSecret,
  smtp_auth_secret_file: optionalText,
  smtp_auth_identity: optionalText,
  smtp_require_tls: flag(true),
  smtp_tls_config: tlsConfig.optional(),
  smtp_force_implicit_tls: optionalFlag,
  slack_api_url: optionalSecretUrl,
  slack_api_url_file: optionalText,
  slack_app_token: optionalSecret,
  slack_app_token_file: optionalText,
  slack_app_url: optionalUrl.default("https://slack.com/api/chat.postMessage"),
  pagerduty_url: optionalUrl.default("https://events.pagerduty.com/v2/enqueue"),
  opsgenie_api_url: optionalUrl.default("https://api.opsgenie.com/"),
  opsgenie_api_key: optionalSecret,
  opsgenie_api_key_file: optionalText,
  wechat_api_url: optionalUrl.default("https://qyapi.weixin.qq.com/cgi-bin/"),
  wechat_api_secret: optionalSecret,
  wechat_api_secret_file: optionalText,
  wechat_api_corp_id: optionalText,
  victorops_api_url: optionalUrl.default("https://alert.victorops.com/integrations/generic/20131114/alert/"),
  victorops_api_key: optionalSecret,
  victorops_api_key_file: optionalText,
  telegram_api_url: optionalUrl.default("https://api.telegram.org"),
  telegram_bot_token: optionalSecret,
  telegram_bot_token_file: optionalText,
  webex_api_url: optionalUrl.default("https://webexapis.com/v1/messages"),
  rocketchat_api_url: optionalUrl.default("https://open.rocket.chat/"),
  rocketchat_token: optionalSecret,
  rocketchat_token_file: optionalText,
  rocketchat_token_id: optionalSecret,
  rocketchat_token_id_file: optionalText,
  mattermost_webhook_url: optionalSecretUrl,
  mattermost_webhook_url_file: optionalText,
  jira_api_url: optionalUrl,
};

const receiverSection = z.object(globalReceiverFields);
export type GlobalReceiverConfig = z.output<typeof receiverSection>;

/** Keys that may be here or, with `_file` behind the name, in a file, but not both. */
export const HERE_OR_IN_FILE = [
  "slack_app_token",
  "slack_api_url",
  "opsgenie_api_key",
  "victorops_api_key",
  "telegram_bot_token",
  "smtp_auth_password",
  "rocketchat_token",
  "rocketchat_token_id",
  "smtp_auth_secret",
  "wechat_api_secret",
  "mattermost_webhook_url",
] as const;

/** Which keys exclude each other. */
export function checkGlobalReceiverConfig(config: GlobalReceiverConfig, context: z.RefinementCtx): void {
  for (const key of HERE_OR_IN_FILE) atMostOne(context, config, key, `${key}_file`);
  const hasToken = config.slack_app_token ?? config.slack_app_token_file;
  const hasUrl = config.slack_api_url ?? config.slack_api_url_file;
  // Both may name the address of Slack's own API: an old way to use tokens.
  if (hasToken && hasUrl && config.slack_api_url?.reveal() !== config.slack_app_url) {
    context.addIssue({
      code: "custom",
      message:
        "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured",
    });
  }
}

export const DEFAULT_GLOBAL_RECEIVER_CONFIG: GlobalReceiverConfig = receiverSection.parse({});

/** That of the receiver, or that of all. They are not mixed. */
export function httpConfigOf(own: z.output<typeof httpConfig> | undefined, global: GlobalReceiverConfig) {
  return own ?? global.http_config ?? DEFAULT_HTTP_CONFIG;
}
