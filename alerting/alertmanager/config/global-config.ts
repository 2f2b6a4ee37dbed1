import { InvalidInputError } from "@sightline/model/errors.ts";
import { globalReceiverFields, HERE_OR_IN_FILE } from "../../notify/global-receiver-config.ts";
import type { YamlReader, YamlValue } from "./yaml-reader.ts";

/** What receivers have when they say nothing else. */
export type GlobalConfig = {
  /** So long an alert fires about which nobody says when it ends. */
  readonly resolveTimeoutMs: number;
  /** By the names of the file, defaults filled in; for the integrations that know them. */
  readonly settings: Readonly<Record<string, unknown>>;
};

const DEFAULTS: Readonly<Record<string, unknown>> = {
  resolve_timeout: "5m",
  http_config: { follow_redirects: true, enable_http2: true },
  smtp_hello: "localhost",
  smtp_require_tls: true,
  smtp_tls_config: { insecure_skip_verify: false },
  pagerduty_url: "https://events.pagerduty.com/v2/enqueue",
  opsgenie_api_url: "https://api.opsgenie.com/",
  wechat_api_url: "https://qyapi.weixin.qq.com/cgi-bin/",
  victorops_api_url: "https://alert.victorops.com/integrations/generic/20131114/alert/",
  telegram_api_url: "https://api.telegram.org",
  webex_api_url: "https://webexapis.com/v1/messages",
  rocketchat_api_url: "https://open.rocket.chat/",
  slack_app_url: "https://slack.com/api/chat.postMessage",
};
const FIELDS = new Set(["resolve_timeout", ...Object.keys(globalReceiverFields)]);

/** Throws `InvalidInputError` in Alertmanager's words. */
export function readGlobal(reader: YamlReader, value: YamlValue): GlobalConfig {
  const fields = reader.fields(value, "config.plain", FIELDS);
  const settings: Record<string, unknown> = { ...DEFAULTS };
  for (const [name, field] of fields) if (field !== undefined) settings[name] = reader.plain(field);
  const has = (name: string) => settings[name] !== undefined && settings[name] !== "";
  for (const name of HERE_OR_IN_FILE) {
    if (has(name) && has(`${name}_file`)) {
      throw new InvalidInputError(`at most one of ${name} & ${name}_file must be configured`);
    }
  }
  const hasToken = has("slack_app_token") || has("slack_app_token_file");
  const hasUrl = has("slack_api_url") || has("slack_api_url_file");
  if (hasToken && hasUrl && settings.slack_api_url !== settings.slack_app_url) {
    throw new InvalidInputError(
      "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file must be configured",
    );
  }
  return { resolveTimeoutMs: reader.durationMs(fields.get("resolve_timeout")) ?? 300_000, settings };
}
