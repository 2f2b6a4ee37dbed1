import { InvalidInputError } from "@sightline/model/errors.ts";
import { checkAnswer, failed } from "../answer-check.ts";
import type { Attempt } from "../attempt.ts";
import type { HttpSender } from "../http/http-sender.ts";
import { httpIntegration, jsonRequest } from "../http-integration.ts";
import type { NotifyResult } from "../notifier.ts";
import { type MattermostAttachment, type MattermostConfig, mattermostConfig } from "./mattermost-config.ts";

const MAX_TEXT_RUNES = 16_383;
const PRIORITIES = ["urgent", "important", "standard"];

/** Posts to an incoming webhook of Mattermost. */
export const mattermost = httpIntegration<MattermostConfig>({
  kind: "mattermost",
  schema: mattermostConfig,
  withGlobals: (config, global) => {
    if (config.webhook_url ?? config.webhook_url_file) return config;
    const { mattermost_webhook_url: url, mattermost_webhook_url_file: file } = global;
    if (!url && !file) throw new InvalidInputError("missing webhook_url or webhook_url_file on mattermost_config");
    return { ...config, webhook_url: url, webhook_url_file: file };
  },
  sending: (config) => (attempt, sender) => send(config, attempt, sender),
});

async function send(config: MattermostConfig, attempt: Attempt, sender: HttpSender): Promise<NotifyResult> {
  const url = await attempt.secrets.reveal(config.webhook_url, config.webhook_url_file);
  if (url === "") return failed("webhook url missing");
  const hasOwnAttachments = config.attachments.length > 0;
  const text = hasOwnAttachments ? attempt.cut("text", attempt.text(config.text), MAX_TEXT_RUNES) : "";
  const channel = attempt.textOrNone(config.channel);
  const message = {
    text: text || undefined,
    channel,
    username: attempt.textOrNone(config.username),
    icon_url: attempt.textOrNone(config.icon_url),
    icon_emoji: attempt.textOrNone(config.icon_emoji),
    attachments: (hasOwnAttachments ? config.attachments : [config]).map((given) => attachmentOf(given, attempt)),
    type: attempt.textOrNone(config.type),
    props: config.props?.card ? { card: attempt.textOrNone(config.props.card) } : undefined,
    priority: priorityOf(config, attempt),
  };
  const answer = await sender.send(jsonRequest(url, message), attempt.signal);
  const result = checkAnswer(answer, { waitsWhenAsked: true });
  return result.ok ? result : { ...result, detail: `channel ${JSON.stringify(channel ?? "")}: ${result.detail}` };
}

function attachmentOf(given: MattermostAttachment, attempt: Attempt) {
  return {
    fallback: attempt.textOrNone(given.fallback),
    color: attempt.textOrNone(given.color),
    pretext: attempt.textOrNone(given.pretext),
    text: attempt.textOrNone(given.text),
    author_name: attempt.textOrNone(given.author_name),
    author_link: attempt.textOrNone(given.author_link),
    author_icon: attempt.textOrNone(given.author_icon),
    title: attempt.textOrNone(given.title),
    title_link: attempt.textOrNone(given.title_link),
    fields:
      given.fields.length > 0
        ? given.fields.map(({ title, value, short }) => ({
            title: attempt.textOrNone(title),
            value: attempt.textOrNone(value),
            short,
          }))
        : undefined,
    thumb_url: attempt.textOrNone(given.thumb_url),
    footer: attempt.textOrNone(given.footer),
    footer_icon: attempt.textOrNone(given.footer_icon),
    image_url: attempt.textOrNone(given.image_url),
  };
}

/** Mattermost refuses what a priority does not allow: then it is left out. */
function priorityOf({ priority: given }: MattermostConfig, attempt: Attempt) {
  if (!given?.priority) return undefined;
  const wanted = attempt.text(given.priority).toLowerCase();
  const priority = PRIORITIES.includes(wanted) ? wanted : "standard";
  return {
    priority,
    requested_ack: (given.requested_ack && priority !== "standard") || undefined,
    persistent_notifications: (given.persistent_notifications && priority === "urgent") || undefined,
  };
}
