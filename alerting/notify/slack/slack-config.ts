import { z } from "zod";
import { httpConfig } from "../http/http-config.ts";
import {
  atMostOne,
  flag,
  listOf,
  optionalFlag,
  optionalSecret,
  optionalSecretUrl,
  optionalText,
  optionalUrl,
  text,
  timeoutMs,
} from "../receiver-values.ts";

const POST_MESSAGE = "https://slack.com/api/chat.postMessage";

const field = z
  .strictObject({ title: text(), value: text(), short: optionalFlag })
  .superRefine(({ title, value }, context) => {
    const missing = title === "" ? "title" : value === "" ? "value" : undefined;
    if (missing) context.addIssue({ code: "custom", message: `missing ${missing} in Slack field configuration` });
  });

const confirmation = z
  .strictObject({ text: text(), title: text(), ok_text: text(), dismiss_text: text() })
  .superRefine((confirm, context) => {
    if (confirm.text === "")
      context.addIssue({ code: "custom", message: "missing text in Slack confirmation configuration" });
  });

const action = z
  .strictObject({
    type: text(),
    text: text(),
    url: text(),
    style: text(),
    name: text(),
    value: text(),
    confirm: confirmation.optional(),
  })
  .superRefine((given, context) => {
    const missing =
      given.type === ""
        ? "type"
        : given.text === ""
          ? "text"
          : given.url + given.name === ""
            ? "name or url"
            : undefined;
    if (missing) context.addIssue({ code: "custom", message: `missing ${missing} in Slack action configuration` });
  })
  // A link is not a button that says something to an application.
  .transform((given) => (given.url === "" ? given : { ...given, name: "", value: "", confirm: undefined }));

const named = (name: string) => text(`{{ template "slack.default.${name}" . }}`);

/** An entry of `slack_configs`. */
export const slackConfig = z
  .strictObject({
    send_resolved: flag(false),
    http_config: httpConfig.optional(),
    api_url: optionalSecretUrl,
    api_url_file: optionalText,
    app_token: optionalSecret,
    app_token_file: optionalText,
    app_url: optionalUrl,
    channel: text(),
    username: named("username"),
    color: named("color"),
    title: named("title"),
    title_link: named("titlelink"),
    pretext: named("pretext"),
    text: named("text"),
    message_text: text(),
    fields: listOf(field),
    short_fields: flag(),
    footer: named("footer"),
    fallback: named("fallback"),
    callback_id: named("callbackid"),
    icon_emoji: named("iconemoji"),
    icon_url: named("iconurl"),
    image_url: text(),
    thumb_url: text(),
    link_names: flag(),
    mrkdwn_in: listOf(text()),
    actions: listOf(action),
    update_message: flag(),
    timeout: timeoutMs,
  })
  .superRefine((config, context) => {
    atMostOne(context, config, "api_url", "api_url_file");
    atMostOne(context, config, "app_token", "app_token_file");
    if ((config.api_url ?? config.api_url_file) && (config.app_token ?? config.app_token_file)) {
      const message = "at most one of api_url/api_url_file & app_token/app_token_file must be configured";
      context.addIssue({ code: "custom", message });
    }
    // Alertmanager wants the address said in the entry itself; a token that is there says the same.
    const isApi = config.api_url?.reveal() === POST_MESSAGE || config.app_token || config.app_token_file;
    if (config.update_message && !isApi) {
      const message = `update_message can only be used with bot tokens. api_url must be set to ${POST_MESSAGE}`;
      context.addIssue({ code: "custom", message });
    }
  });

export type SlackConfig = z.output<typeof slackConfig>;
