import { z } from "zod";
import { httpConfig } from "../http/http-config.ts";
import { atMostOne, flag, listOf, optionalFlag, optionalSecretUrl, optionalText, text } from "../receiver-values.ts";

const field = z
  .strictObject({ title: text(), value: text(), short: optionalFlag })
  .superRefine(({ title, value }, context) => {
    const missing = title === "" ? "title" : value === "" ? "value" : undefined;
    if (missing) context.addIssue({ code: "custom", message: `missing ${missing} in Mattermost field configuration` });
  });

const named = (name: string) => text(`{{ template "mattermost.default.${name}" . }}`);

const attachment = z.strictObject({
  fallback: text(),
  color: text(),
  pretext: text(),
  text: text(),
  author_name: text(),
  author_link: text(),
  author_icon: text(),
  title: text(),
  title_link: text(),
  fields: listOf(field),
  thumb_url: text(),
  footer: text(),
  footer_icon: text(),
  image_url: text(),
});

/** An entry of `mattermost_configs`. */
export const mattermostConfig = z
  .strictObject({
    send_resolved: flag(true),
    http_config: httpConfig.optional(),
    webhook_url: optionalSecretUrl,
    webhook_url_file: optionalText,
    channel: text(),
    username: named("username"),
    ...attachment.shape,
    fallback: named("fallback"),
    color: named("color"),
    text: named("text"),
    title: named("title"),
    title_link: named("titlelink"),
    icon_url: text(),
    icon_emoji: text(),
    attachments: listOf(attachment),
    type: text(),
    props: z.strictObject({ card: text() }).optional(),
    priority: z.strictObject({ priority: text(), requested_ack: flag(), persistent_notifications: flag() }).optional(),
  })
  .superRefine((config, context) => atMostOne(context, config, "webhook_url", "webhook_url_file"));

export type MattermostConfig = z.output<typeof mattermostConfig>;
export type MattermostAttachment = z.output<typeof attachment>;
